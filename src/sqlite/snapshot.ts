import { inspectDatabase, type DatabaseFile } from './database-file.js';
import { copyGroup, type Copy, type CopyOutcome, type SnapshotDeps } from './group-copy.js';
import type { LiveFile } from './member.js';
import type { DatabaseRequest, DatabaseSnapshot, SnapshotRequest, SnapshotResult, SqliteNote } from './protocol.js';
import { copyRaw, removeDatabase } from './raw-copy.js';
import { examineCopy, keepRaw, type RawCopier } from './snapshot-outcome.js';

interface Job {
  readonly database: DatabaseRequest;
  readonly file: DatabaseFile;
}

type LiveJob = Job & { readonly file: LiveFile };

/**
 * Copies live databases as they were at one instant, then checks the copies. What is wrong with one of them is in its result,
 * and the others go on; thrown is only what leaves no backup: `needs-wal-or-quiesce`, or a destination that cannot be written.
 */
export async function takeSnapshot(request: SnapshotRequest, deps: SnapshotDeps): Promise<SnapshotResult> {
  // All looked at through fs before the first of them is open in SQLite.
  const jobs: Job[] = [];
  for (const database of request.databases) {
    jobs.push({ database, file: await inspectDatabase(database.path, deps.held) });
  }
  const tasks = jobs.filter(isLive).map(({ file, database }) => ({ file, destination: database.destination }));
  const outcomes = await copyGroup(tasks, request, deps);
  // From here on no connection is open to any of them: raw copies are allowed, and writers have gone on.
  const groups = new SnapshotGroups(request.group, outcomes.size > 1);
  const databases: DatabaseSnapshot[] = [];
  for (const job of jobs) databases.push(await finish(job, outcomes, groups, deps));
  return { databases };
}

function isLive(job: Job): job is LiveJob {
  return job.file.kind === 'database';
}

async function finish(
  job: Job,
  outcomes: ReadonlyMap<LiveFile, CopyOutcome>,
  groups: SnapshotGroups,
  deps: SnapshotDeps,
): Promise<DatabaseSnapshot> {
  const { database, file } = job;
  if (file.kind === 'missing' || file.kind === 'unreadable') return { ...file, name: database.name };
  if (file.kind === 'noise') return keepRaw(database, file.path, file.reason, rawCopier(deps));
  const outcome = outcomes.get(file);
  if (outcome === undefined) throw new Error(`was not copied: ${file.path}`);
  if ('copy' in outcome) return examine({ database, file }, outcome.copy, groups, deps);
  const { fault, reason } = outcome.failure;
  if (fault === 'damaged') return keepRaw(database, file.path, `${database.path}: ${reason}`, rawCopier(deps));
  return copyPrivately({ database, file }, groups, deps);
}

/**
 * For a database SQLite cannot open where it lies for want of permission (a WAL without its `-shm`, a hot journal): its files
 * are copied as they are, and SQLite recovers the copy.
 */
async function copyPrivately(job: LiveJob, groups: SnapshotGroups, deps: SnapshotDeps): Promise<DatabaseSnapshot> {
  const { database, file } = job;
  const apart = `${database.destination}.source`;
  try {
    const raw = await copyRaw(file.path, apart, deps.held);
    if (raw.kind !== 'copied') return { ...raw, name: database.name };
    if (!raw.steady) {
      const reason = `${database.path} kept changing while it was read; without permission to write it cannot be locked`;
      return { kind: 'unreadable', name: database.name, reason };
    }
    const copied = await inspectDatabase(apart, deps.held);
    if (copied.kind !== 'database') return await keepRaw(database, file.path, copied.reason, rawCopier(deps));
    const outcomes = await copyGroup([{ file: copied, destination: database.destination }], { maxPause: 'none' }, deps);
    const outcome = outcomes.get(copied);
    if (outcome === undefined) throw new Error(`was not copied: ${apart}`);
    if ('copy' in outcome) return await examine(job, { ...outcome.copy, together: false }, groups, deps);
    return await keepRaw(database, file.path, `${database.path}: ${outcome.failure.reason}`, rawCopier(deps));
  } finally {
    await removeDatabase(apart);
  }
}

function examine(job: LiveJob, copy: Copy, groups: SnapshotGroups, deps: SnapshotDeps): Promise<DatabaseSnapshot> {
  const { database, file } = job;
  const group = (): number => groups.numberFor(copy.together);
  const notes = copyNotes(job, copy, groups);
  return examineCopy({ database, path: file.path, copy, group, notes }, rawCopier(deps));
}

/** No connection to the source may be open then. */
function rawCopier({ held }: SnapshotDeps): RawCopier {
  return (source, destination) => copyRaw(source, destination, held);
}

function copyNotes({ database, file }: LiveJob, copy: Copy, groups: SnapshotGroups): SqliteNote[] {
  const notes: SqliteNote[] = [];
  if (file.journalMode !== undefined && file.journalMode !== copy.journalMode) {
    const message = `${database.path} went from journal mode ${file.journalMode} to ${copy.journalMode} meanwhile`;
    notes.push({ id: 'wal-mode-switch', message });
  }
  if (!copy.together && groups.several) {
    const message = `${database.path} cannot be locked without permission to write: its copy shows an instant of its own`;
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
