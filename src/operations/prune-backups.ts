import { withCleanup } from '../base/cleanup.js';
import { exitCodes } from '../base/exit-codes.js';
import type { Catalog } from '../catalog/catalog.js';
import { limitAutomatic } from '../policy/automatic-retention.js';
import { archiveName, parseBackupId } from '../policy/backup-name.js';
import type { Decision } from '../policy/decision.js';
import { decideRetention } from '../policy/retention.js';
import type { Retention } from '../policy/retention-policy.js';
import type { Storage } from '../storage/storage.js';
import type { Deps } from './deps.js';
import { listBackups, type ListedBackup } from './list-backups.js';
import { recordedRun } from './recorded-run.js';
import { removeBackup } from './remove-backup.js';
import { sweepQuietly } from './sweep-storage.js';
import { refuseUnfinished } from './unfinished-restore.js';

export interface PruneRequest {
  readonly storage: Storage;
  readonly instance: string;
  /** The instance's root. */
  readonly root: string;
  /** What each schedule keeps, for every schedule there is; undefined where that cannot be read. */
  readonly retentions: ReadonlyMap<string, Retention | undefined>;
  /** Only the backups of this one. */
  readonly schedule: string | undefined;
  /** Nobody watches: at most two are removed. */
  readonly automatic: boolean;
  /** Names of archives that a verification found damaged. */
  readonly knownBad: ReadonlySet<string>;
}

export interface PruneResult {
  /** Newest first; what was removed is what is not kept. */
  readonly decisions: readonly Decision<ListedBackup>[];
  /** How many more would be removed, were the run not an automatic one. */
  readonly left: number;
}

/** Which backups stay and which go, each with its reasons. Writes nothing. */
export async function planPrune(request: PruneRequest, deps: Deps): Promise<PruneResult> {
  const { storage, instance, retentions, schedule, automatic, knownBad } = request;
  refuseUnfinished(request.root);
  const listed = await listBackups(storage, instance, deps.signal);
  const retained = listed.map((backup) => ({ ...backup, knownBad: knownBad.has(backup.name) }));
  const decided = decideRetention(retained, retentions, deps.clock.now()).map(({ keep, reasons }, index) => {
    const backup = listed[index];
    if (backup === undefined) throw new Error('a decision about no backup');
    return keep || hasOwnName(backup) ? { backup, keep, reasons } : { backup, keep: true, reasons: [ownName] };
  });
  const decisions = decided.filter(({ backup }) => schedule === undefined || backup.origin === schedule);
  return automatic ? limitAutomatic(decisions) : { decisions, left: 0 };
}

/** Somebody who gave a copy a name of its own wants to keep it. */
const hasOwnName = ({ id, name, container }: ListedBackup): boolean =>
  parseBackupId(id) !== undefined && name === archiveName(id, container);
const ownName = 'its file has another name than its id';

/** A run of its own: plans under the storage's lock, so that nothing is decided by what has changed since, and removes. */
export function pruneBackups(
  request: PruneRequest,
  lockWait: number,
  deps: Deps,
  catalog?: Catalog,
): Promise<PruneResult> {
  const { instance, schedule } = request;
  const beginning = { kind: 'prune', instance, ...(schedule === undefined ? {} : { schedule }) } as const;
  const work = (recorded: Deps): Promise<PruneResult> => removeUnkept(request, lockWait, recorded, catalog);
  return recordedRun(catalog, beginning, deps, work, () => ({ exitCode: exitCodes.done }));
}

/** The same as a part of another run. */
export function removeUnkept(
  request: PruneRequest,
  lockWait: number,
  deps: Deps,
  catalog: Catalog | undefined,
): Promise<PruneResult> {
  return withCleanup(async (cleanup) => {
    const { storage } = request;
    const lock = await storage.lock({ holder: 'prune', wait: lockWait, clock: deps.clock, signal: deps.signal });
    cleanup.defer(() => lock.release());
    await sweepQuietly(storage, deps);
    const result = await planPrune(request, deps);
    for (const { backup } of result.decisions.filter(({ keep }) => !keep).toReversed()) {
      deps.signal.throwIfAborted();
      await removeBackup(storage, backup, catalog);
      deps.step('backup-removed', `removed ${backup.id}`);
    }
    return result;
  });
}
