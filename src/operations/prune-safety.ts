import { parseBackupId, withoutEnding, containerOf } from '../policy/backup-name.js';
import { decideSafetyRetention } from '../policy/safety-retention.js';
import type { Storage } from '../storage/storage.js';
import type { Deps } from './deps.js';
import { listBackups } from './list-backups.js';
import { removeBackup } from './remove-backup.js';

/** Removes this instance's safety backups that need not be kept any longer. Called with the storage's lock held. */
export async function pruneSafety(storage: Storage, instance: string, deps: Deps): Promise<readonly string[]> {
  const listed = await listBackups(storage, instance, deps.signal);
  const safety = listed.flatMap((backup) => {
    const id = containerOf(backup.name) === undefined ? undefined : parseBackupId(withoutEnding(backup.name));
    const own = !backup.foreign && backup.instance === instance && id?.origin === 'safety';
    return own ? [{ id: backup.id, name: backup.name, time: id.time, locked: backup.locked }] : [];
  });
  const removed: string[] = [];
  for (const { backup, keep } of decideSafetyRetention(safety, deps.clock.now())) {
    if (keep) continue;
    await removeBackup(storage, backup, undefined);
    removed.push(backup.id);
  }
  return removed;
}
