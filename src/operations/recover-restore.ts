import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { withCleanup } from '../base/cleanup.js';
import { BkpError, errorText, ioError } from '../base/errors.js';
import { readJournal, removeJournal, type Journal } from '../fs/journal.js';
import { acquireLock } from '../fs/lock.js';
import { makeFolders } from '../fs/make-folders.js';
import { discardAside, type Kept } from '../fs/swap-discard.js';
import { systemSwapIo, type SwapIo } from '../fs/swap-io.js';
import { surveySwap, type Unexpected } from '../fs/swap-survey.js';
import { recoverSwap } from '../fs/swap.js';
import { sqliteChildOnDemand } from '../sqlite/child-on-demand.js';
import type { SqliteChild } from '../sqlite/client.js';
import type { Storage } from '../storage/storage.js';
import { notCleanedUp, type Committed } from './commit-restore.js';
import type { Deps } from './deps.js';
import { isKeptList, readKept, writeKept } from './kept-list.js';
import { restoreFolder } from './own-folders.js';
import { databasesOf } from './restore-databases.js';
import { clearOrName, clearRooms } from './restore-rooms.js';
import { possibleRooms } from './restore-units.js';
import { readSafetyList, type SafetyList } from './safety-list.js';
import type { Source } from './source.js';
import { sweepQuietly } from './sweep-storage.js';
import { isUnfinished } from './unfinished-restore.js';

export interface RecoverRequest {
  /** A real path. */
  readonly root: string;
  /** All of the configuration: private folders may lie beside sources. */
  readonly configured: readonly Source[];
  readonly storage: Storage;
  readonly lockWait: number;
  /** What moves files. */
  readonly io?: SwapIo;
}

export interface RecoverResult {
  /** `finished`: the restored state is there. `undone`: the state before. `nothing`: no restore was unfinished. */
  readonly outcome: 'finished' | 'undone' | 'nothing';
  readonly kept: readonly Kept[];
  readonly unexpected: readonly Unexpected[];
}

/** Finishes or undoes a restore in place that was killed. May be killed and repeated itself. */
export async function recoverRestore(request: RecoverRequest, deps: Deps): Promise<RecoverResult> {
  try {
    return await recoverUnderLock(request, deps);
  } catch (error) {
    throw isUnfinished(request.root) ? toBeRepeated(error) : error;
  }
}

function recoverUnderLock(request: RecoverRequest, deps: Deps): Promise<RecoverResult> {
  return withCleanup(async (cleanup) => {
    const folder = join(request.root, restoreFolder);
    const rooms = possibleRooms(request.configured, request.root);
    if (!existsSync(folder) && rooms.length === 0) return { outcome: 'nothing', kept: [], unexpected: [] };
    makeOwnFolder(folder);
    const { clock, signal } = deps;
    const wait = request.lockWait;
    if (request.storage.folder === undefined || existsSync(request.storage.folder)) {
      const lock = await request.storage.lock({ holder: 'recover', wait, clock, signal });
      cleanup.defer(() => lock.release());
      cleanup.defer(() => sweepQuietly(request.storage, deps));
    }
    const lock = await acquireLock(join(folder, '.lock'), { holder: 'recover', wait, clock, signal });
    cleanup.defer(() => lock.release());
    const journal = readJournal(folder);
    if (journal === undefined) {
      await clearRooms([folder, ...rooms]);
      return { outcome: 'nothing', kept: leftIn([folder, ...rooms]), unexpected: [] };
    }
    // No signal reaches it: it must not let go in the middle of the moves.
    const child = sqliteChildOnDemand();
    cleanup.defer(() => child.close());
    return recover({ journal, folder, rooms, child, io: request.io ?? systemSwapIo });
  });
}

/** What failed is to be mended, and that is not all. */
function toBeRepeated(error: unknown): unknown {
  if (!(error instanceof BkpError) || error.hint?.includes('--recover') === true) return error;
  const { id, message, path, hint = 'Mend what that says.' } = error;
  const details = { cause: error, hint: `${hint} Then run \`bkp restore --recover\` again.` };
  return new BkpError(id, message, path === undefined ? details : { ...details, path });
}

/** Rooms on further file systems are listed and locked together with it. */
function makeOwnFolder(folder: string): void {
  try {
    makeFolders(folder, 0o700);
  } catch (error) {
    throw ioError('creating', folder, error, 'target-unwritable');
  }
}

/** What earlier restores kept aside: one that was killed with its last word unsaid has told nobody. */
function leftIn(rooms: readonly string[]): readonly Kept[] {
  const listed = rooms.flatMap((room) => readKept(room));
  const places = rooms.flatMap((room) => (existsSync(room) ? readdirSync(room).map((name) => join(room, name)) : []));
  const others = places.filter(
    (path) => !isOurs(basename(path)) && !listed.some((kept) => kept.path.startsWith(`${path}/`)),
  );
  return [...listed, ...others.map((path) => ({ path, reason: 'an earlier restore kept it aside' }))];
}

const isOurs = (name: string): boolean => name.startsWith('.') || isKeptList(name);

interface Recovery {
  readonly journal: Journal;
  readonly folder: string;
  readonly rooms: readonly string[];
  readonly child: SqliteChild;
  readonly io: SwapIo;
}

async function recover({ journal, folder, rooms, child, io }: Recovery): Promise<RecoverResult> {
  await lockBothSides(journal, child);
  const decided = await recoverSwap(folder, io).catch(async (error: unknown) => {
    await afterRollback({ folder, rooms, child }, error);
    throw error;
  });
  if (decided === undefined) throw new BkpError('internal', `the journal in ${folder} vanished`, { path: folder });
  const outcome = decided.phase === 'committed' ? 'finished' : 'undone';
  try {
    const { kept, unexpected } = await letGo(decided, folder, child);
    const left = await clearOrName([...roomsOf(decided, folder), ...rooms]);
    return { outcome, kept: [...kept, ...left], unexpected };
  } catch (error) {
    throw notCleanedUp(`the interrupted restore is ${outcome}, but not all could be cleaned up`, error);
  }
}

/** The new state could not be completed, and the old one is there again: what was staged is in the archive. */
async function afterRollback(
  { folder, rooms, child }: Omit<Recovery, 'journal' | 'io'>,
  cause: unknown,
): Promise<void> {
  const decided = cause instanceof BkpError && cause.id === 'restore-rolled-back' ? readJournal(folder) : undefined;
  if (decided?.phase !== 'undone') return;
  try {
    await letGo(decided, folder, child);
    await clearOrName([...roomsOf(decided, folder), ...rooms]);
  } catch (error) {
    throw notCleanedUp(`${errorText(cause)}; but not all could be cleaned up`, error);
  }
}

/** Which state there is, is decided. */
async function letGo(decided: Journal, folder: string, child: SqliteChild): Promise<Committed> {
  const databases = decided.steps.filter(({ kind }) => kind === 'database');
  // Whatever the sidecars of a database kept raw are, they were restored with it, and are moves of their own.
  const restored = new Set(decided.steps.map(({ live }) => live));
  await child.finishSwap({
    databases: databases.map(({ live }) => ({
      path: live,
      sidecars: restored.has(`${live}-wal`) || restored.has(`${live}-journal`) ? 'restored' : 'none',
    })),
  });
  await child.releaseLocks();
  const unexpected = surveySwap(decided);
  const list = readSafetyList(folder);
  const kept = await discardAside(decided, ({ live, stat }) =>
    decided.phase === 'undone' ? true : isProven(list, decided, live, stat),
  );
  await writeKept(decided, kept, unexpected);
  await removeJournal(decided);
  return { kept, unexpected };
}

/** After a kill a database may have been written since its safety copy: only files are proven. */
function isProven(
  list: SafetyList,
  journal: Journal,
  live: string,
  stat: Parameters<SafetyList['proves']>[1],
): boolean {
  if (list.get(live)?.database === true) return false;
  return list.proves(
    live,
    stat,
    journal.steps.some((step) => step.live === live),
  );
}

/** Every database on either side of the swap: an application may have written to it since the kill. */
async function lockBothSides(journal: Journal, child: SqliteChild): Promise<void> {
  const steps = journal.steps.filter((step) => step.kind === 'database');
  const paths = databasesOf(journal);
  if (paths.length > 0) await child.lockDatabases({ databases: paths.map((path) => ({ name: path, path })) });
  const staged = steps.flatMap((step) => (step.kind === 'database' && step.new !== undefined ? [step.new.staged] : []));
  const left = staged.filter((path) => existsSync(path));
  if (left.length > 0) await child.lockStaged({ databases: left.map((path) => ({ name: path, path })) });
}

const roomsOf = (journal: Journal, folder: string): ReadonlySet<string> =>
  new Set([folder, ...journal.steps.map(({ place }) => dirname(place))]);
