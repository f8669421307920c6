import { withCleanup } from '../base/cleanup.js';
import { BkpError } from '../base/errors.js';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Config } from '../config/config.js';
import { runBackup, type BackupRunResult } from '../operations/backup-run.js';
import { configuredHooks } from '../operations/configured-hooks.js';
import { createBackup, type CreateResult } from '../operations/create-backup.js';
import type { CreateRequest } from '../operations/create-request.js';
import type { Deps } from '../operations/deps.js';
import { configuredMonitor } from '../operations/monitor.js';
import { knownBadArchives } from '../operations/known-damage.js';
import { withLastHooks } from '../operations/run-hooks.js';
import type { Retention } from '../policy/retention-policy.js';
import type { Storage } from '../storage/storage.js';

/** What a backup has beside its request. */
export interface BackupExtras {
  readonly config: Config;
  readonly storage: Storage;
  readonly catalog: Catalog | undefined;
  readonly locked: boolean;
  /** Of a schedule's backup. */
  readonly scheduled?: {
    /** The slot it fills; milliseconds since 1970. */
    readonly slot: number;
    /** What every schedule keeps; undefined: nothing is removed. */
    readonly retentions: ReadonlyMap<string, Retention | undefined> | undefined;
  };
}

export type MadeBackup = CreateResult & Partial<Pick<BackupRunResult, 'copied' | 'pruned'>> & { exitCode: ExitCode };

/** Makes a backup with the hooks of the configuration; one in the storage with copies, retention, monitor and history too. */
export async function makeBackup(request: CreateRequest, extras: BackupExtras, deps: Deps): Promise<MadeBackup> {
  const { config, storage, catalog, locked, scheduled } = extras;
  const hooks = configuredHooks(config.hooks, deps, 'create');
  if (request.destination.kind === 'storage') {
    const run = {
      request,
      storage,
      hooks,
      monitor: configuredMonitor(config.notify, deps),
      slot: scheduled?.slot,
      locked,
      copies: config.copies,
      retention: retentionOf(request, scheduled?.retentions, catalog),
    };
    return runBackup(run, deps, catalog);
  }
  const about = { id: '', file: '', root: request.root };
  const made = await withLastHooks(hooks, about, () => createBackup({ ...request, hooks }, deps), deps.signal);
  return { ...made, exitCode: made.complete ? exitCodes.done : exitCodes.incomplete };
}

/**
 * Does what a schedule's backup takes before it can begin. A failure is told to hooks and monitor as one of the backup: nobody
 * watches, and of a backup that never began they would not hear.
 */
export function prepareScheduled<T>(config: Config, deps: Deps, work: () => Promise<T>): Promise<T> {
  return withCleanup(async (cleanup) => {
    try {
      return await work();
    } catch (error) {
      deps.signal.throwIfAborted();
      const exitCode = error instanceof BkpError ? error.exitCode : exitCodes.failed;
      const hooks = configuredHooks(config.hooks, deps, 'create');
      cleanup.defer(() => configuredMonitor(config.notify, deps).failed(error));
      cleanup.defer(() => hooks.last({ id: '', file: '', root: config.root }, { status: 'failed', exitCode }));
      throw error;
    }
  });
}

function retentionOf(
  { origin }: CreateRequest,
  retentions: ReadonlyMap<string, Retention | undefined> | undefined,
  catalog: Catalog | undefined,
) {
  if (retentions === undefined) return undefined;
  return { retentions, schedule: origin, knownBad: knownBadArchives(catalog) };
}
