import { withCleanup } from '../base/cleanup.js';
import { BkpError } from '../base/errors.js';
import { exitCodes } from '../base/exit-codes.js';
import type { Catalog } from '../catalog/catalog.js';
import { archiveName } from '../policy/backup-name.js';
import type { Deps } from './deps.js';
import { ambiguous } from './find-backup.js';
import { listBackups, type ListedBackup } from './list-backups.js';
import { recordedRun } from './recorded-run.js';
import { missingBackups } from './remembered-backups.js';
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
  /** Ids of backups that are not there any more and that only the catalogue knows: it is to forget them. */
  readonly missing: readonly string[];
}

export interface DeleteResult {
  readonly deleted: readonly ListedBackup[];
  /** Ids of what was missing. */
  readonly forgotten: readonly string[];
}

/** Rejects with `backup-locked` where one of them is locked. */
export async function planDelete(
  request: DeleteRequest,
  signal: AbortSignal,
  catalog: Catalog | undefined,
): Promise<DeletePlan> {
  refuseUnfinished(request.root);
  const missing = await namedMissing(request, signal, catalog);
  const references = request.references.filter((reference) => !missing.has(reference));
  const backups = references.length === 0 ? [] : await findStored({ ...request, references }, signal);
  refuseLocked(backups);
  return { request, backups, missing: [...new Set(missing.values())] };
}

/** By reference, the id of the one missing backup that is meant; what lies in the storage comes first. */
async function namedMissing(
  { references, storage, instance }: DeleteRequest,
  signal: AbortSignal,
  catalog: Catalog | undefined,
): Promise<ReadonlyMap<string, string>> {
  const fits = (id: string, reference: string): boolean => reference !== '' && id.startsWith(reference);
  const made = catalog?.made(instance) ?? [];
  if (made === 'unknown' || !references.some((reference) => made.some((id) => fits(id, reference)))) return new Map();
  const listed = await listBackups(storage, instance, signal);
  const missing = missingBackups(catalog, instance, listed);
  const meant = new Map<string, string>();
  for (const reference of references) {
    const fitting = missing.includes(reference) ? [reference] : missing.filter((id) => fits(id, reference));
    const [only] = fitting;
    if (only === undefined || (only !== reference && listed.some(({ id }) => fits(id, reference)))) continue;
    if (fitting.length > 1) throw ambiguous(reference, fitting);
    meant.set(reference, only);
  }
  return meant;
}

/** Deletes what was planned. Looked at once more under the lock: where one was locked meanwhile, nothing is deleted. */
export function deleteBackups(plan: DeletePlan, deps: Deps, catalog?: Catalog): Promise<DeleteResult> {
  const { instance } = plan.request;
  const work = (own: Deps): Promise<DeleteResult> => deletePlanned(plan, own, catalog);
  return recordedRun(catalog, { kind: 'delete', instance }, deps, work, () => ({ exitCode: exitCodes.done }));
}

function deletePlanned(
  { request, backups, missing }: DeletePlan,
  deps: Deps,
  catalog: Catalog | undefined,
): Promise<DeleteResult> {
  return withCleanup(async (cleanup) => {
    const { storage, instance, root, lockWait } = request;
    const lock = await storage.lock({ holder: 'delete', wait: lockWait, clock: deps.clock, signal: deps.signal });
    cleanup.defer(() => lock.release());
    refuseUnfinished(root);
    const names = backups.map(({ name }) => name);
    const deleted = await namedInStorage(storage, names, instance, deps.signal);
    refuseLocked(deleted);
    await sweepQuietly(storage, deps);
    for (const backup of deleted) {
      deps.signal.throwIfAborted();
      await removeBackup(storage, backup, catalog);
      deps.step('backup-deleted', `deleted ${backup.id}`);
    }
    // One that was put back meanwhile is missed again where it gets lost again.
    const there = missing.length === 0 ? [] : await listBackups(storage, instance, deps.signal);
    const forgotten = missing.filter((id) => !there.some((backup) => backup.id === id));
    for (const id of forgotten) {
      for (const container of ['zip', 'tar.gz'] as const) catalog?.forget(archiveName(id, container), id);
      deps.step('backup-forgotten', `forgot ${id}, which was not there`);
    }
    return { deleted, forgotten };
  });
}

function refuseLocked(backups: readonly ListedBackup[]): void {
  const locked = backups.filter((backup) => backup.locked).map(({ id }) => id);
  if (locked.length === 0) return;
  const message = `${locked.join(', ')} ${locked.length === 1 ? 'is' : 'are'} locked; nothing was deleted`;
  throw new BkpError('backup-locked', message, { hint: '`bkp unlock` lets a backup be deleted again.' });
}
