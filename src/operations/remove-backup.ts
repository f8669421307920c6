import { sideSuffix } from '../manifest/side-file.js';
import type { Storage } from '../storage/storage.js';
import { lockedSuffix } from './list-backups.js';

/**
 * Removes an archive and what lies beside it; with the storage's lock held. The archive goes first: a side file without its
 * archive is found and removed by the next run, while an archive without its side file would have lost a proof.
 */
export async function removeBackup(storage: Storage, name: string): Promise<void> {
  await storage.remove(name);
  await storage.remove(`${name}${sideSuffix}`);
  await storage.remove(`${name}${lockedSuffix}`);
}
