import { withCleanup } from '../base/cleanup.js';
import { BkpError } from '../base/errors.js';
import { exitCodes } from '../base/exit-codes.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Deps } from './deps.js';
import type { ListedBackup } from './list-backups.js';
import { recordedRun } from './recorded-run.js';
import { removeBackup } from './remove-backup.js';
import { findStored, namedInStorage, type StoredRequest } from './stored-backups.js';
import { sweepQuietly } from './sweep-storage.js';
import { refuseUnfinished } from './unfinished-restore.js';

export interface DeleteRequest extends StoredRequest {
  /** The instance's root. */
  readonly root: string;
  /** Milliseconds to wait for another run. */
  readonly lockWait: number;
}

/** What is to be deleted, all of it or nothing: looked at, nothing written. Only `planDelete` makes it. */
export interface DeletePlan {
  readonly request: DeleteRequest;
  readonly backups: readonly ListedBackup[];
}

/** Rejects with `backup-locked` where one of them is locked. */
export async function planDelete(request: DeleteRequest, signal: AbortSignal): Promise<DeletePlan> {
  refuseUnfinished(request.root);
  const backups = await findStored(request, signal);
  refuseLocked(backups);
  return { request, backups };
}

/** Deletes what was planned. Looked at once more under the lock: where one was locked meanwhile, nothing is deleted. */
export function deleteBackups(plan: DeletePlan, deps: Deps, catalog?: Catalog): Promise<readonly ListedBackup[]> {
  const { instance } = plan.request;
  const work = (own: Deps): Promise<readonly ListedBackup[]> => deletePlanned(plan, own, catalog);
  return recordedRun(catalog, { kind: 'delete', instance }, deps, work, () => ({ exitCode: exitCodes.done }));
}

function deletePlanned(
  { request, backups }: DeletePlan,
  deps: Deps,
  catalog: Catalog | undefined,
): Promise<readonly ListedBackup[]> {
  return withCleanup(async (cleanup) => {
    const { storage, instance, root, lockWait } = request;
    const lock = await storage.lock({ holder: 'delete', wait: lockWait, clock: deps.clock, signal: deps.signal });
    cleanup.defer(() => lock.release());
    refuseUnfinished(root);
    const names = backups.map(({ name }) => name);
    const now = await namedInStorage(storage, names, instance, deps.signal);
    refuseLocked(now);
    await sweepQuietly(storage, deps);
    for (const backup of now) {
      deps.signal.throwIfAborted();
      await removeBackup(storage, backup, catalog);
      deps.step('backup-deleted', `deleted ${backup.id}`);
    }
    return now;
  });
}

function refuseLocked(backups: readonly ListedBackup[]): void {
  const locked = backups.filter((backup) => backup.locked).map(({ id }) => id);
  if (locked.length === 0) return;
  const message = `${locked.join(', ')} ${locked.length === 1 ? 'is' : 'are'} locked; nothing was deleted`;
  throw new BkpError('backup-locked', message, { hint: '`bkp unlock` lets a backup be deleted again.' });
}
