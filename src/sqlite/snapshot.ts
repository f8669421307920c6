import { checkDatabase, withCopy } from './check.js';
import { inspectDatabase, type DatabaseFile } from './database-file.js';
import { readFacts } from './facts.js';
import { copyGroup, type Copy, type CopyOutcome, type SnapshotDeps } from './group-copy.js';
import type { LiveFile } from './member.js';
import type { DatabaseRequest, DatabaseSnapshot, SnapshotRequest, SnapshotResult, SqliteNote } from './protocol.js';
import { copyRaw, removeDatabase } from './raw-copy.js';

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
  if (file.kind === 'noise') return keepRaw(database, file.path, file.reason, deps);
  const outcome = outcomes.get(file);
  if (outcome === undefined) throw new Error(`was not copied: ${file.path}`);
  if ('copy' in outcome) return examine({ database, file }, outcome.copy, groups, deps);
  const { fault, reason } = outcome.failure;
  if (fault === 'damaged') return keepRaw(database, file.path, `${database.path}: ${reason}`, deps);
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
    if (copied.kind !== 'database') return await keepRaw(database, file.path, copied.reason, deps);
    const outcomes = await copyGroup([{ file: copied, destination: database.destination }], { maxPause: 'none' }, deps);
    const outcome = outcomes.get(copied);
    if (outcome === undefined) throw new Error(`was not copied: ${apart}`);
    if ('copy' in outcome) return await examine(job, { ...outcome.copy, together: false }, groups, deps);
    return await keepRaw(database, file.path, `${database.path}: ${outcome.failure.reason}`, deps);
  } finally {
    await removeDatabase(apart);
  }
}

/** The copy is checked; a damaged one is replaced by the source's own bytes. */
async function examine(
  job: LiveJob,
  copy: Copy,
  groups: SnapshotGroups,
  deps: SnapshotDeps,
): Promise<DatabaseSnapshot> {
  const { database, file } = job;
  const { check, facts } = withCopy(database.destination, (db) => {
    const result = checkDatabase(db);
    return { check: result, facts: result.kind === 'damaged' ? undefined : readFacts(db) };
  });
  if (check.kind === 'damaged' || facts === undefined) {
    const reason = check.kind === 'damaged' ? check.messages.join('; ') : 'unreadable schema';
    return keepRaw(database, file.path, `${database.path}: ${reason}`, deps);
  }
  const { together, ...measured } = copy;
  const notes = [...copyNotes(job, copy, groups), ...check.notes];
  return {
    kind: 'copied',
    name: database.name,
    ...measured,
    ...facts,
    integrity: check.kind,
    ...(check.kind === 'unchecked' ? { integrityReason: check.reason } : {}),
    snapshotGroup: groups.numberFor(together),
    notes,
  };
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

async function keepRaw(
  { name, destination }: DatabaseRequest,
  path: string,
  reason: string,
  deps: SnapshotDeps,
): Promise<DatabaseSnapshot> {
  const raw = await copyRaw(path, destination, deps.held);
  if (raw.kind !== 'copied') return { ...raw, name };
  return {
    kind: 'raw',
    name,
    files: raw.files,
    reason: raw.steady ? reason : `${reason}; it changed while it was read`,
  };
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
