import { BkpError, errorText } from '../base/errors.js';
import { createJournal, removeJournal, type Journal } from '../fs/journal.js';
import { filesOfFileSystem } from '../fs/mount-point.js';
import { discardAside, type Discarded, type Kept } from '../fs/swap-discard.js';
import type { SwapIo } from '../fs/swap-io.js';
import { planSwap } from '../fs/swap-plan.js';
import { surveySwap, type Unexpected } from '../fs/swap-survey.js';
import { commitSwap } from '../fs/swap.js';
import { hasLoss } from '../manifest/findings.js';
import type { SqliteChild } from '../sqlite/client.js';
import type { CreateResult } from './create-backup.js';
import type { HeldDatabases } from './held-databases.js';
import { writeKept } from './kept-list.js';
import { ownFolders, realOrItself } from './own-folders.js';
import type { InPlacePlan } from './plan-in-place.js';
import { liesBelow, resolveSources, sidecarSuffixes } from './resolve-sources.js';
import { restoreMoves } from './restore-moves.js';
import { SafetyList } from './safety-list.js';
import type { Staged } from './stage-units.js';

export interface CommitRequest {
  readonly plan: InPlacePlan;
  readonly staged: Staged;
  readonly held: HeldDatabases;
  readonly child: SqliteChild;
  /** What the safety backup read. */
  readonly list: SafetyList;
  /** The journal's. */
  readonly folder: string;
  readonly safety: CreateResult | undefined;
  readonly io: SwapIo;
}

export interface Committed {
  readonly kept: readonly Kept[];
  readonly unexpected: readonly Unexpected[];
}

/** From here to its end no signal is heard: the instance ends as the old or the new one. */
export async function commitRestore(request: CommitRequest): Promise<Committed> {
  const { plan, staged, child, folder, io } = request;
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
    throw await afterRollback(journal, error);
  }
  try {
    return await letGoOfOld(request, journal);
  } catch (error) {
    throw notCleanedUp('all is restored, but what was there before could not be let go', error);
  }
}

/** The new state is there. */
async function letGoOfOld(request: CommitRequest, journal: Journal): Promise<Committed> {
  const { plan, child } = request;
  const own = plan.units.filter(({ source }) => source.type === 'sqlite');
  await child.finishSwap({
    databases: own.map(({ live, raw }) => ({ path: live, sidecars: raw ? 'restored' : 'none' })),
  });
  await child.releaseLocks();
  const unexpected = surveySwap(journal);
  const kept = await discardAside(journal, (entry) => provenBy(request, entry, journal), whyNotProven(request));
  await writeKept(journal, kept, unexpected);
  await removeJournal(journal);
  return { kept, unexpected };
}

/** It is decided, and that is said first: what is left to do is to clean up. */
export const notCleanedUp = (decided: string, error: unknown): BkpError =>
  new BkpError('io-failed', `${decided}: ${errorText(error)}`, {
    cause: error,
    hint: 'Mend that (stop the program, if it names one), then run `bkp restore --recover`: it only cleans up.',
  });

/** All is back at its place; what was staged is in the archive. Gives what to throw. */
async function afterRollback(journal: Journal, cause: unknown): Promise<unknown> {
  if (journal.phase !== 'undone') return cause;
  try {
    await discardAside(journal, () => true);
    await removeJournal(journal);
    return cause;
  } catch (error) {
    return new BkpError('restore-rolled-back', `${errorText(cause)} (and while cleaning up: ${errorText(error)})`, {
      cause,
      hint: 'Mend what that says, then run `bkp restore --recover`: it only cleans up.',
    });
  }
}

/** What the safety backup proves to hold: nothing where it has losses, after a kill no more than now. */
const provenList = ({ list, safety }: CommitRequest): SafetyList =>
  safety === undefined || hasLoss(safety.findings) ? new SafetyList() : list;

function whyNotProven({ safety }: CommitRequest): string | undefined {
  if (safety === undefined) return 'there is no safety backup';
  return hasLoss(safety.findings) ? 'the safety backup is incomplete, and proves nothing then' : undefined;
}

/** Whether an old file is held by the safety backup, exactly as it was when it was moved. */
function provenBy({ list, safety }: CommitRequest, { live, stat }: Discarded, journal: Journal): boolean {
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
  const own = plan.units.filter(({ mode }) => mode === 'children').flatMap(({ live }) => filesOfFileSystem(live));
  return [...storage, ...ownFolders(plan.root), ...rooms, ...others, ...own];
}
