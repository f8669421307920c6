import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { counted } from '../base/amounts.js';
import { withCleanup, type Cleanup } from '../base/cleanup.js';
import { errorText, ioError } from '../base/errors.js';
import { journalPhase } from '../fs/journal.js';
import { acquireLock } from '../fs/lock.js';
import { makeFolders } from '../fs/make-folders.js';
import type { Kept } from '../fs/swap-discard.js';
import { systemSwapIo, type SwapIo } from '../fs/swap-io.js';
import type { Unexpected } from '../fs/swap-survey.js';
import type { Finding } from '../manifest/findings.js';
import { sqliteChildOnDemand } from '../sqlite/child-on-demand.js';
import { commitRestore } from './commit-restore.js';
import type { BackupEncryption } from './create-request.js';
import type { Deps } from './deps.js';
import { lockLive } from './held-databases.js';
import { restoreFolder } from './own-folders.js';
import type { InPlacePlan } from './plan-in-place.js';
import { pruneSafety } from './prune-safety.js';
import { makeParents, makeSingleParents } from './restore-parents.js';
import { clearOrName, clearRooms } from './restore-rooms.js';
import { tellOutcome, withLastHooks, type HookedRun, type RunHooks } from './run-hooks.js';
import { makeSafety, type SafetyBackup } from './safety-backup.js';
import { SafetyList } from './safety-list.js';
import { stageUnits, type Staged } from './stage-units.js';
import { refuseUnfinished } from './unfinished-restore.js';

export interface InPlaceOptions {
  /** 0 to 9, of the safety backup. */
  readonly level: number;
  readonly lockWait: number;
  readonly hooks: RunHooks;
  /** Of the safety backup; by default as the restored backup is encrypted, with its passphrase. */
  readonly encryption?: BackupEncryption;
  /** What moves files. */
  readonly io?: SwapIo;
}

export interface InPlaceResult {
  readonly id: string;
  readonly files: number;
  readonly bytes: number;
  readonly databases: number;
  /** What was there before; undefined where none was asked for, or nothing was there. */
  readonly safety: SafetyBackup | undefined;
  /** Old things that no copy is proven to hold, where they lie now. */
  readonly kept: readonly Kept[];
  /** What others did meanwhile. */
  readonly unexpected: readonly Unexpected[];
  readonly findings: readonly Finding[];
  readonly milliseconds: number;
}

/**
 * Puts a planned backup in the place of what is there: staged and proven first, then with the databases locked and a safety
 * backup made, swapped under a journal. Ends with the new state or the old one; nothing is removed that no copy holds.
 */
export function restoreInPlace(plan: InPlacePlan, options: InPlaceOptions, deps: Deps): Promise<InPlaceResult> {
  const work = (): Promise<InPlaceResult> => restore(plan, options, deps);
  return withLastHooks(options.hooks, hooked(plan), work, deps.signal);
}

const hooked = ({ id, root, file }: InPlacePlan): HookedRun => ({ id, file: file.location, root });

function restore(plan: InPlacePlan, options: InPlaceOptions, deps: Deps): Promise<InPlaceResult> {
  return withCleanup(async (cleanup) => {
    const started = deps.clock.monotonic();
    const folder = await holdInstance(plan, options, deps, cleanup);
    const rooms = [folder, ...plan.units.map(({ room }) => room)];
    let isRestored = false;
    cleanup.defer(() => (isRestored ? undefined : clearUnneeded(folder, rooms)));
    // Looked at again under the lock: another restore may have been killed since the plan was made, and needs its staging.
    refuseUnfinished(plan.root);
    makeParents(plan.units);
    const staged = await stageUnits(plan, deps, cleanup);
    makeSingleParents(plan.units, staged);
    deps.step('staged', `staged and proved ${counted(staged.files, 'file')}`);
    const work = (): Promise<Replaced> => replace({ plan, options, staged, folder }, deps);
    const replaced = await tellOutcome(work, (outcome) => options.hooks.after(hooked(plan), outcome), deps.signal);
    isRestored = true;
    const left = await clearOrName(rooms);
    await pruneQuietly(plan, deps);
    const { files, bytes } = staged;
    const milliseconds = deps.clock.monotonic() - started;
    const kept = [...replaced.kept, ...left];
    return { id: plan.id, files, bytes, databases: staged.databases.length, ...replaced, kept, milliseconds };
  });
}

interface Replacement {
  readonly plan: InPlacePlan;
  readonly options: InPlaceOptions;
  readonly staged: Staged;
  readonly folder: string;
}

type Replaced = Pick<InPlaceResult, 'safety' | 'kept' | 'unexpected' | 'findings'>;

/** The downtime: from stopping the application until its databases are let go. */
function replace({ plan, options, staged, folder }: Replacement, deps: Deps): Promise<Replaced> {
  return withCleanup(async (cleanup) => {
    await options.hooks.before(hooked(plan));
    // Killed by an abort it would let go of the databases in the middle of the moves.
    const child = sqliteChildOnDemand();
    cleanup.defer(() => child.close());
    deps.signal.throwIfAborted();
    const held = await lockLive(plan, child);
    const list = new SafetyList();
    const { level, encryption } = options;
    const wanted = { plan, level, held, child, list, encryption };
    const safety = plan.safetyBackup ? await makeSafety(wanted, deps) : undefined;
    deps.signal.throwIfAborted();
    const io = options.io ?? systemSwapIo;
    const outcome = await commitRestore({ plan, staged, held, child, list, folder, safety, io });
    return { safety, ...outcome, findings: [...staged.findings, ...plan.findings] };
  });
}

/** Old safety backups that stay because something is in the way are no reason to call the restore failed. */
async function pruneQuietly({ storage, instance }: InPlacePlan, deps: Deps): Promise<void> {
  try {
    for (const id of await pruneSafety(storage, instance, deps)) deps.step('safety-removed', `removed ${id}`);
  } catch (error) {
    deps.step('safety-kept', `old safety backups could not be removed: ${errorText(error)}`);
  }
}

/** Takes the locks of storage and instance; gives the journal's folder. */
async function holdInstance(plan: InPlacePlan, options: InPlaceOptions, deps: Deps, cleanup: Cleanup): Promise<string> {
  const { storage, root, safetyBackup } = plan;
  const { clock, signal } = deps;
  if (safetyBackup) await storage.prepare();
  if (storage.folder === undefined || existsSync(storage.folder)) {
    const lock = await storage.lock({ holder: 'restore', wait: options.lockWait, clock, signal });
    cleanup.defer(() => lock.release());
  }
  const folder = join(root, restoreFolder);
  try {
    makeFolders(folder, 0o700);
  } catch (error) {
    throw ioError('creating', folder, error, 'target-unwritable');
  }
  const lock = await acquireLock(join(folder, '.lock'), { holder: 'restore', wait: options.lockWait, clock, signal });
  cleanup.defer(() => lock.release());
  return folder;
}

/** What was staged and not needed goes; while there is a journal, all of it is needed. */
async function clearUnneeded(folder: string, rooms: readonly string[]): Promise<void> {
  if (journalPhase(folder) === undefined) await clearRooms(rooms);
}
