import { removeKnownEntries } from '../archive/known/known-entries-file.js';
import type { Catalog } from '../catalog/catalog.js';
import { sideSuffix } from '../manifest/side-file.js';
import type { Storage } from '../storage/storage.js';
import { lockedSuffix, type ListedBackup } from './list-backups.js';

/**
 * Removes an archive and what lies beside it; with the storage's lock held. The archive goes first: a side file without its
 * archive is found and removed by the next run, while an archive without its side file would have lost a proof. The catalogue
 * lets go of it before that: a run killed in between would leave a backup that is reported missing.
 */
export async function removeBackup(
  storage: Storage,
  { id, name }: Pick<ListedBackup, 'id' | 'name'>,
  catalog: Catalog | undefined,
): Promise<void> {
  const forgotten = catalog?.forget(name, id);
  try {
    await storage.remove(name);
  } catch (error) {
    if (forgotten !== undefined) catalog?.remember(forgotten);
    throw error;
  }
  if (storage.folder !== undefined) await removeKnownEntries(storage.folder, name);
  await storage.remove(`${name}${sideSuffix}`);
  await storage.remove(`${name}${lockedSuffix}`);
}
