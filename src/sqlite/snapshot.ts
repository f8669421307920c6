import { inspectDatabase, type DatabaseFile } from './database-file.js';
import type { Examiner } from './examiner.js';
import { copyGroup, type Copy, type CopyOutcome, type SnapshotDeps } from './group-copy.js';
import type { LiveFile } from './member.js';
import { copyPrivately, privateReasons, type PrivateCopy, type PrivateReason } from './private-copy.js';
import { privateRoutes } from './private-route.js';
import type { DatabaseRequest, DatabaseSnapshot, SnapshotRequest, SnapshotResult, SqliteNote } from './protocol.js';
import { copyRaw } from './raw-copy.js';
import { examineCopy, keepRaw, type RawCopier } from './snapshot-outcome.js';
import { databaseNames } from './super-journal.js';

interface Job {
  readonly database: DatabaseRequest;
  readonly file: DatabaseFile;
}

type LiveJob = Job & { readonly file: LiveFile };

export interface ExaminingDeps extends SnapshotDeps {
  readonly examiner: Examiner;
  /** Told which of the request lie at their destinations, before they are checked. */
  readonly copiesMade: (indexes: readonly number[]) => void;
  /** Told the result of each as soon as there is one. */
  readonly copyChecked: (index: number, snapshot: DatabaseSnapshot) => void;
}

/**
 * Copies live databases as they were at one instant, then checks the copies. What is wrong with one of them is in its result,
 * and the others go on; thrown is only what leaves no backup: `needs-wal-or-quiesce`, or a destination that cannot be written.
 */
export async function takeSnapshot(request: SnapshotRequest, deps: ExaminingDeps): Promise<SnapshotResult> {
  if (request.databases.length > 0) deps.examiner.start();
  // All looked at through fs before the first of them is open in SQLite.
  const names = await databaseNames(request.databases.map(({ path }) => path));
  const jobs: Job[] = [];
  for (const database of request.databases) {
    jobs.push({ database, file: await inspectDatabase(database.path, deps.held, names) });
  }
  const live = jobs.filter(isLive);
  const early = await copyApart(live, request, deps);
  const tasks = live
    .filter(({ file }) => !early.has(file))
    .map(({ file, database }) => ({ file, destination: database.destination, optional: isFound(database) }));
  const outcomes = await copyGroup(tasks, request, deps);
  // From here on no connection is open to any of them: raw copies are allowed, and writers have gone on.
  const apart = new Map([...early, ...(await copyUnlocked(live, outcomes, deps))]);
  deps.copiesMade(jobs.flatMap((job, index) => (isLive(job) && isCopied(job.file, outcomes, apart) ? [index] : [])));
  const groups = new SnapshotGroups(request.group, live.length > 1);
  const databases: DatabaseSnapshot[] = [];
  for (const [index, job] of jobs.entries()) {
    const snapshot = await finish(job, { outcomes, apart, groups }, deps);
    deps.copyChecked(index, snapshot);
    databases.push(snapshot);
  }
  return { databases };
}

function isLive(job: Job): job is LiveJob {
  return job.file.kind === 'database';
}

function isCopied(
  file: LiveFile,
  outcomes: ReadonlyMap<LiveFile, CopyOutcome>,
  apart: ReadonlyMap<LiveFile, PrivateCopy>,
): boolean {
  const outcome = outcomes.get(file);
  return (outcome !== undefined && 'copy' in outcome) || apart.get(file)?.kind === 'copied';
}

function isFound({ found }: DatabaseRequest): boolean {
  return found === true;
}

/** The databases that are not to be locked. One that turns out to be written to is in use after all, and joins the others. */
async function copyApart(
  jobs: readonly LiveJob[],
  { maxPause }: SnapshotRequest,
  deps: ExaminingDeps,
): Promise<ReadonlyMap<LiveFile, PrivateCopy>> {
  const routed = jobs.map(({ file, database }) => ({ file, found: isFound(database) }));
  const routes = privateRoutes(routed, maxPause);
  const copies = new Map<LiveFile, PrivateCopy>();
  for (const { file, database } of jobs) {
    const reason = routes.get(file);
    if (reason === undefined) continue;
    const copy = await copyPrivately(file, database.destination, reason, deps);
    if (copy.kind !== 'changing' || reason === 'long-pause') copies.set(file, copy);
  }
  return copies;
}

/** Those that could not be locked after all: all of them before the first check, so that they are of nearly one moment. */
async function copyUnlocked(
  jobs: readonly LiveJob[],
  outcomes: ReadonlyMap<LiveFile, CopyOutcome>,
  deps: ExaminingDeps,
): Promise<ReadonlyMap<LiveFile, PrivateCopy>> {
  const copies = new Map<LiveFile, PrivateCopy>();
  for (const { file, database } of jobs) {
    const outcome = outcomes.get(file);
    if (outcome === undefined || 'copy' in outcome || outcome.failure.fault === 'damaged') continue;
    const why = outcome.failure.fault === 'locked' ? 'locked' : 'no-permission';
    copies.set(file, await copyPrivately(file, database.destination, why, deps));
  }
  return copies;
}

interface Copied {
  readonly outcomes: ReadonlyMap<LiveFile, CopyOutcome>;
  readonly apart: ReadonlyMap<LiveFile, PrivateCopy>;
  readonly groups: SnapshotGroups;
}

async function finish(job: Job, { outcomes, apart, groups }: Copied, deps: ExaminingDeps): Promise<DatabaseSnapshot> {
  const { database, file } = job;
  if (file.kind === 'missing' || file.kind === 'unreadable') return { ...file, name: database.name };
  if (file.kind === 'noise') return keepRaw(database, file.path, file.reason, rawCopier(deps));
  const copy = apart.get(file);
  if (copy !== undefined) return finishPrivate({ database, file }, copy, groups, deps);
  const outcome = outcomes.get(file);
  if (outcome === undefined) throw new Error(`was not copied: ${file.path}`);
  if ('copy' in outcome) return examine({ database, file }, { ...outcome, reason: 'no-permission' }, groups, deps);
  return keepRaw(database, file.path, `${database.path}: ${outcome.failure.reason}`, rawCopier(deps));
}

function finishPrivate(
  job: LiveJob,
  copy: PrivateCopy,
  groups: SnapshotGroups,
  deps: ExaminingDeps,
): Promise<DatabaseSnapshot> | DatabaseSnapshot {
  const { database, file } = job;
  const { name, path } = database;
  switch (copy.kind) {
    case 'copied':
      return examine(job, copy, groups, deps);
    case 'changing': {
      const reason = `${path} kept changing while it was read, and ${privateReasons[copy.reason]}`;
      return { kind: 'unreadable', name, reason };
    }
    case 'not-copied':
      return keepRaw(database, file.path, `${path}: ${copy.reason}`, rawCopier(deps));
    case 'missing':
    case 'unreadable':
      return { ...copy, name };
  }
}

interface OwnCopy {
  readonly copy: Copy;
  /** Why it is not of one instant with the others, where it is not. */
  readonly reason: PrivateReason;
}

function examine(job: LiveJob, own: OwnCopy, groups: SnapshotGroups, deps: ExaminingDeps): Promise<DatabaseSnapshot> {
  const { database, file } = job;
  const { copy } = own;
  const group = (): number => groups.numberFor(copy.together);
  const notes = copyNotes(job, own, groups);
  return examineCopy({ database, path: file.path, copy, group, notes }, rawCopier(deps), deps.examiner);
}

/** No connection to the source may be open then. */
function rawCopier({ held }: SnapshotDeps): RawCopier {
  return (source, destination) => copyRaw(source, destination, held);
}

function copyNotes({ database, file }: LiveJob, { copy, reason }: OwnCopy, groups: SnapshotGroups): SqliteNote[] {
  const notes: SqliteNote[] = [];
  if (file.journalMode !== undefined && file.journalMode !== copy.journalMode) {
    const message = `${database.path} went from journal mode ${file.journalMode} to ${copy.journalMode} meanwhile`;
    notes.push({ id: 'wal-mode-switch', message });
  }
  // What nobody has open is the same at any instant.
  if (!copy.together && groups.several && reason !== 'unused') {
    const message = `${database.path} ${privateReasons[reason]}: its copy shows an instant of its own`;
    notes.push({ id: 'not-one-instant', message });
  }
  return notes;
}

/** Hands out group numbers: one for all that were pinned together, one each for the others. */
class SnapshotGroups {
  readonly several: boolean;
  readonly #first: number;
  #next: number;

  constructor(first: number, several: boolean) {
    this.#first = first;
    this.several = several;
    this.#next = first + 1;
  }

  numberFor(together: boolean): number {
    return together ? this.#first : this.#next++;
  }
}
