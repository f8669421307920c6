import { withCleanup } from '../base/cleanup.js';
import type { Storage } from '../storage/storage.js';
import type { Deps } from './deps.js';
import { lockedSuffix, type ListedBackup } from './list-backups.js';
import { findStored, namedInStorage, type StoredRequest } from './stored-backups.js';

export interface LockRequest extends StoredRequest {
  /** To be locked, or to be unlocked. */
  readonly locked: boolean;
  /** Milliseconds to wait for another run. */
  readonly lockWait: number;
}

export interface LockedBackup {
  readonly backup: ListedBackup;
  /** It was not so before. */
  readonly changed: boolean;
}

/**
 * Locks or unlocks backups: a locked one is never deleted and uses no slot of retention. Holds the storage's lock, so that a
 * backup that was told to be locked is not one that another run is about to remove.
 */
export function lockBackups(request: LockRequest, deps: Deps): Promise<readonly LockedBackup[]> {
  return withCleanup(async (cleanup) => {
    const { storage, instance, locked, lockWait } = request;
    const holder = locked ? 'lock' : 'unlock';
    // Before the lock, which would make the storage.
    const meant = (await findStored(request, deps.signal)).map(({ name }) => name);
    const lock = await storage.lock({ holder, wait: lockWait, clock: deps.clock, signal: deps.signal });
    cleanup.defer(() => lock.release());
    const backups = await namedInStorage(storage, meant, instance, deps.signal);
    for (const { name } of backups) await setLocked(storage, name, locked);
    return backups.map((backup) => ({ backup, changed: backup.locked !== locked }));
  });
}

async function setLocked(storage: Storage, name: string, locked: boolean): Promise<void> {
  const side = `${name}${lockedSuffix}`;
  if (locked) await storage.writeSide(side, Buffer.alloc(0));
  else await storage.remove(side);
}
