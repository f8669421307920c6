import { existsSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { withCleanup, type Cleanup } from '../base/cleanup.js';
import { BkpError, errorText, ioError } from '../base/errors.js';
import { fileStat, lookAt } from '../fs/file-stat.js';
import { createJournal, journalPhase, removeJournal, type Journal } from '../fs/journal.js';
import { acquireLock } from '../fs/lock.js';
import { discardAside, type Kept } from '../fs/swap-discard.js';
import { systemSwapIo, type SwapIo } from '../fs/swap-io.js';
import { planSwap } from '../fs/swap-plan.js';
import { surveySwap, type Unexpected } from '../fs/swap-survey.js';
import { commitSwap } from '../fs/swap.js';
import { hasLoss, type Finding } from '../manifest/findings.js';
import { openSqliteChild, type SqliteChild } from '../sqlite/client.js';
import { createBackup, type CreateResult } from './create-backup.js';
import type { BackupEncryption, CreateRequest } from './create-request.js';
import type { DatabaseToCopy } from './database-copies.js';
import type { Deps } from './deps.js';
import { scanSource } from './live-databases.js';
import { lockedSuffix } from './list-backups.js';
import { realOrItself, type InPlacePlan } from './plan-in-place.js';
import { pruneSafety } from './prune-safety.js';
import { liesBelow, ownFolders, Reserved, resolveSources, sidecarSuffixes } from './resolve-sources.js';
import { restoreMoves } from './restore-moves.js';
import { makeParents, makeSingleParents } from './restore-parents.js';
import { clearRooms } from './restore-rooms.js';
import { restoreFolder, type RestoreUnit } from './restore-units.js';
import { tellOutcome, withLastHooks, type HookedRun, type RunHooks } from './run-hooks.js';
import { SafetyList } from './safety-list.js';
import { stageUnits, type Staged } from './stage-units.js';
import { refuseUnfinished } from './unfinished-restore.js';

export interface InPlaceOptions {
  readonly safetyBackup: boolean;
  /** 0 to 9, of the safety backup. */
  readonly level: number;
  readonly lockWait: number;
  /** Of the safety backup; by default as the restored backup is encrypted, with its passphrase. */
  readonly encryption?: BackupEncryption;
  readonly hooks: RunHooks;
  /** What moves files. */
  readonly io?: SwapIo;
}

export interface InPlaceResult {
  readonly id: string;
  readonly files: number;
  readonly bytes: number;
  readonly databases: number;
  /** What was there before; undefined where none was asked for, or nothing was there. */
  readonly safety: CreateResult | undefined;
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
  return withLastHooks(options.hooks, hooked(plan), () => restore(plan, options, deps), deps.signal);
}

const hooked = ({ id, file, root }: InPlacePlan): HookedRun => ({ id, file: file.location, root });

function restore(plan: InPlacePlan, options: InPlaceOptions, deps: Deps): Promise<InPlaceResult> {
  return withCleanup(async (cleanup) => {
    const started = deps.clock.monotonic();
    const folder = await holdInstance(plan, options, deps, cleanup);
    // Looked at again under the lock: another restore may have been killed since the plan was made, and needs its staging.
    refuseUnfinished(plan.root);
    makeParents(plan.units);
    const staged = await stageUnits(plan, deps, cleanup);
    makeSingleParents(plan.units, staged);
    deps.step('staged', `staged and proved ${staged.files} files`);
    const work = (): Promise<Replaced> => replace({ plan, options, staged, folder }, deps);
    const replaced = await tellOutcome(work, (outcome) => options.hooks.after(hooked(plan), outcome), deps.signal);
    await pruneQuietly(plan, deps);
    const { files, bytes } = staged;
    const milliseconds = deps.clock.monotonic() - started;
    return { id: plan.id, files, bytes, databases: staged.databases.length, ...replaced, milliseconds };
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
    const child = openSqliteChild();
    cleanup.defer(() => child.close());
    deps.signal.throwIfAborted();
    const held = await lockLive(plan, child);
    const list = new SafetyList();
    const safety = options.safetyBackup ? await makeSafety({ plan, options, held, child, list }, deps) : undefined;
    deps.signal.throwIfAborted();
    const io = options.io ?? systemSwapIo;
    const outcome = await commit({ plan, staged, held, child, list, folder, safety, io });
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
  const { storage, root } = plan;
  const { clock, signal } = deps;
  if (options.safetyBackup) await storage.prepare();
  if (storage.folder === undefined || existsSync(storage.folder)) {
    const lock = await storage.lock({ holder: 'restore', wait: options.lockWait, clock, signal });
    cleanup.defer(() => lock.release());
  }
  const folder = join(root, restoreFolder);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw ioError('creating', folder, error, 'target-unwritable');
  }
  const lock = await acquireLock(join(folder, '.lock'), { holder: 'restore', wait: options.lockWait, clock, signal });
  cleanup.defer(() => lock.release());
  cleanup.defer(() => removeRooms(plan.units, folder));
  return folder;
}

/** What was staged and not needed goes; while there is a journal, all of it is needed. */
async function removeRooms(units: readonly RestoreUnit[], folder: string): Promise<void> {
  if (journalPhase(folder) === undefined) await clearRooms([folder, ...units.map((unit) => unit.room)]);
}

interface HeldDatabases {
  /** Live databases that are locked or broken, by path. */
  readonly databases: readonly DatabaseToCopy[];
  readonly stale: readonly string[];
}

/** Locks every live database that is to be replaced, those inside folders too. */
async function lockLive(plan: InPlacePlan, child: SqliteChild): Promise<HeldDatabases> {
  const own = plan.units.filter(({ source }) => source.type === 'sqlite');
  const inside = insideDatabases(plan);
  const wanted = [
    ...own.map(({ source, live }) => ({ name: source.name, path: live })),
    ...inside.map((one) => ({ name: one.entryPath, path: one.absolute })),
  ];
  if (wanted.length === 0) return { databases: [], stale: [] };
  const { databases } = await child.lockDatabases({ databases: wanted });
  // What lay in a `-wal` was brought in meanwhile.
  const settled = inside.map((one) => ({ ...one, stat: fileStat(lstatSync(one.absolute, { bigint: true })) }));
  return { databases: settled, stale: databases.flatMap(({ sidecars }) => [...sidecars]) };
}

/** Databases inside folders that are replaced: those live now, and those that were when the backup was made. */
function insideDatabases(plan: InPlacePlan): readonly DatabaseToCopy[] {
  const { resolved } = resolveSources(plan.units.map(({ source }) => source));
  const reserved = reservedOf(plan);
  const known = new Map<string, DatabaseToCopy>();
  for (const item of resolved) {
    if (item.source.type === 'sqlite') continue;
    const name = item.source.name;
    const add = (entryPath: string, absolute: string): void => {
      if (lookAt(absolute)?.isFile() !== true) return;
      const stat = fileStat(lstatSync(absolute, { bigint: true }));
      known.set(absolute, { source: name, entryPath, absolute, stat });
    };
    for (const live of scanSource(item, plan.excludes, reserved).live) add(live.entryPath, live.absolute);
    const recorded = plan.manifest.sources?.find((one) => one.name === name)?.databases ?? {};
    for (const path of Object.keys(recorded)) add(path, join(item.real, path.slice(name.length + 1)));
  }
  return [...known.values()];
}

function reservedOf(plan: InPlacePlan): Reserved {
  const { resolved } = resolveSources(plan.configured);
  const storage = plan.storage.folder === undefined ? [] : [plan.storage.folder];
  return new Reserved([...storage, ...ownFolders(plan.root), ...plan.units.map(({ room }) => room)], resolved);
}

interface Safety {
  readonly plan: InPlacePlan;
  readonly options: InPlaceOptions;
  readonly held: HeldDatabases;
  readonly child: SqliteChild;
  readonly list: SafetyList;
}

/** Backs up what is there now, through the connections that hold it. Nothing there at all is no reason to stop. */
async function makeSafety({ plan, options, held, child, list }: Safety, deps: Deps): Promise<CreateResult | undefined> {
  const names = new Set(plan.units.map(({ source }) => source.name));
  const databases = new Set([
    ...plan.units.filter(({ source }) => source.type === 'sqlite').map(({ live }) => live),
    ...held.databases.map(({ absolute }) => absolute),
  ]);
  const earlier = (await plan.storage.list()).some(({ name }) => /-safety\.(?:zip|tar\.gz)$/.test(name));
  try {
    const made = await createBackup(
      {
        instance: plan.instance,
        root: plan.root,
        sources: plan.configured.filter(({ name }) => names.has(name)),
        others: plan.configured.filter(({ name }) => !names.has(name)),
        leftOut: plan.configured.filter(({ name }) => !names.has(name)).map(({ name }) => name),
        excludes: plan.excludes,
        destination: { kind: 'storage', storage: plan.storage, container: 'zip' },
        level: options.level,
        maxPause: 'none',
        origin: 'safety',
        comment: `before restoring ${plan.id}`,
        lockWait: options.lockWait,
        quickCheck: false,
        ...encryptionOf(plan, options),
      },
      deps,
      { child, databases: held.databases, archived: (path, stat) => list.add(path, stat, databases.has(path)) },
    );
    if (!earlier) await plan.storage.writeSide(`${made.id}.zip${lockedSuffix}`, Buffer.alloc(0));
    return made;
  } catch (error) {
    if (error instanceof BkpError && error.id === 'nothing-readable') return undefined;
    throw error;
  }
}

/** What was encrypted must not come to lie in the storage in clear. */
function encryptionOf(
  { opened, manifest }: InPlacePlan,
  { encryption }: InPlaceOptions,
): Pick<CreateRequest, 'encryption'> {
  if (encryption !== undefined) return { encryption };
  const { passphrase } = opened;
  return passphrase === undefined ? {} : { encryption: { passphrase, hint: manifest.encryption.hint } };
}

interface Commit {
  readonly plan: InPlacePlan;
  readonly staged: Staged;
  readonly held: HeldDatabases;
  readonly child: SqliteChild;
  readonly list: SafetyList;
  readonly folder: string;
  readonly safety: CreateResult | undefined;
  readonly io: SwapIo;
}

/** From here to its end no signal is heard: the instance ends as the old or the new one. */
async function commit(request: Commit): Promise<Pick<InPlaceResult, 'kept' | 'unexpected'>> {
  const { plan, staged, child, folder, io } = request;
  const own = plan.units.filter(({ source }) => source.type === 'sqlite');
  const proper = staged.databases.map(({ header, file }) => ({ name: header.path, path: file }));
  await child.lockStaged({ databases: proper });
  await provenList(request).write(folder);
  const moves = restoreMoves({ ...plan, staged, staying: stayingPaths(plan), stale: request.held.stale });
  const journal = await createJournal(folder, await planSwap(folder, moves, io), io);
  try {
    await commitSwap(journal, io);
  } catch (error) {
    // That everything is back (or not) is what has to be told; the process lets go of its locks in any case.
    await child.releaseLocks().catch(() => undefined);
    await afterRollback(journal);
    throw error;
  }
  const swapped = [
    ...own.map(({ live, raw }) => ({ path: live, sidecars: raw ? ('restored' as const) : ('none' as const) })),
  ];
  await child.finishSwap({ databases: swapped }).catch((error: unknown) => {
    throw notLetGo(error);
  });
  await child.releaseLocks();
  const unexpected = surveySwap(journal);
  const kept = await discardAside(journal, (entry) => provenBy(request, entry.live, entry.stat, journal));
  await removeJournal(journal);
  return { kept, unexpected };
}

/** The new state is there; what is left to do is what recovery does. */
const notLetGo = (error: unknown): BkpError =>
  new BkpError('io-failed', `all is restored, but an old database could not be let go: ${errorText(error)}`, {
    cause: error,
    hint: 'Stop the program that it names, then run `bkp restore --recover`: it only cleans up.',
  });

/** All is back at its place; what was staged is in the archive. */
async function afterRollback(journal: Journal): Promise<void> {
  if (journal.phase !== 'undone') return;
  await discardAside(journal, () => true);
  await removeJournal(journal);
}

/** What the safety backup proves to hold: nothing where it has losses, after a kill no more than now. */
const provenList = ({ list, safety }: Commit): SafetyList =>
  safety === undefined || hasLoss(safety.findings) ? new SafetyList() : list;

/** Whether an old file is held by the safety backup, exactly as it was when it was moved. */
function provenBy(
  { list, safety }: Commit,
  live: string,
  stat: Parameters<SafetyList['proves']>[1],
  journal: Journal,
): boolean {
  if (safety === undefined || hasLoss(safety.findings)) return false;
  const moved = journal.steps.some((step) => step.live === live);
  const database = list.get(live)?.database === true;
  if (list.proves(live, stat, moved || database)) return true;
  // What SQLite leaves of a database that is proven: nothing.
  const owner = sidecarSuffixes
    .map((suffix) => (live.endsWith(suffix) ? live.slice(0, -suffix.length) : undefined))
    .find(Boolean);
  return stat.size === 0 && owner !== undefined && list.get(owner)?.database === true;
}

/** What a folder that is replaced must keep: the storage, private folders, and sources that are not restored. */
function stayingPaths(plan: InPlacePlan): readonly string[] {
  const restored = new Set(plan.units.map(({ source }) => source.name));
  const { resolved } = resolveSources(
    plan.configured.filter(({ name, type }) => !restored.has(name) && type !== 'files'),
  );
  const storage = plan.storage.folder === undefined ? [] : [realOrItself(plan.storage.folder)];
  const rooms = plan.units.map(({ room }) => room);
  const others = resolved
    .map(({ real }) => real)
    .filter((real) => plan.units.some(({ live }) => liesBelow(real, live)));
  return [...storage, ...ownFolders(plan.root), ...rooms, ...others];
}
