import { copyPinned } from './copy.js';
import { inspectDatabase } from './database-file.js';
import type { DatabaseLocks } from './database-locks.js';
import type { ExclusiveLock } from './exclusive-lock.js';
import { describeFault, sqliteFault } from './fault.js';
import { appearedMeanwhile } from './in-use.js';
import { idAt, placeOf } from './live-place.js';
import type { DatabaseRequest, DatabaseSnapshot, LockedSnapshotRequest, SnapshotResult } from './protocol.js';
import { copyRawApart } from './raw-copy-apart.js';
import { examineCopy, keepRaw } from './snapshot-outcome.js';
import type { ExaminingDeps } from './snapshot.js';

export interface LockedSnapshotDeps extends ExaminingDeps {
  readonly locks: DatabaseLocks;
}

/**
 * Copies locked databases through the connections that hold the locks, and checks the copies. All show one instant, since
 * nobody can write. Raw copies are made by another process, so that no lock is dropped.
 */
export async function takeLockedSnapshot(
  request: LockedSnapshotRequest,
  deps: LockedSnapshotDeps,
): Promise<SnapshotResult> {
  if (request.databases.length > 0) deps.examiner.start();
  const startedAt = deps.clock.now();
  const finishing: (() => Promise<DatabaseSnapshot>)[] = [];
  const copied: number[] = [];
  for (const [index, database] of request.databases.entries()) {
    const begun = await begin(database, { startedAt, group: request.group }, deps);
    if (begun.isCopied) copied.push(index);
    finishing.push(begun.finish);
  }
  deps.copiesMade(copied);
  const databases: DatabaseSnapshot[] = [];
  for (const [index, finish] of finishing.entries()) {
    const snapshot = await finish();
    deps.copyChecked(index, snapshot);
    databases.push(snapshot);
  }
  return { databases };
}

interface Instant {
  readonly startedAt: number;
  readonly group: number;
}

/** A database of which there is a copy, or none, and what is left to do with it. */
interface Begun {
  readonly isCopied: boolean;
  readonly finish: () => Promise<DatabaseSnapshot>;
}

async function begin(database: DatabaseRequest, instant: Instant, deps: LockedSnapshotDeps): Promise<Begun> {
  const path = await placeOf(database.path);
  const id = await idAt(path);
  const lock = deps.locks.find(id);
  if (lock !== undefined) return beginLocked({ ...instant, database, path, lock }, deps);
  const file = await inspectDatabase(path, deps.held, new Set());
  if (file.kind === 'missing' || file.kind === 'unreadable') {
    return { isCopied: false, finish: () => Promise.resolve({ ...file, name: database.name }) };
  }
  const reason = deps.locks.whyBroken(id);
  if (reason === undefined) throw appearedMeanwhile(path);
  return { isCopied: false, finish: () => keepRaw(database, path, reason, copyRawApart) };
}

interface Task extends Instant {
  readonly database: DatabaseRequest;
  readonly path: string;
  readonly lock: ExclusiveLock;
}

async function beginLocked(task: Task, { advance, clock, examiner }: LockedSnapshotDeps): Promise<Begun> {
  const { database, path, lock, startedAt, group } = task;
  const raw = (reason: string): Begun => ({
    isCopied: false,
    finish: () => keepRaw(database, path, `${database.path}: ${reason}`, copyRawApart),
  });
  if (lock.fault !== undefined) return raw(lock.fault);
  try {
    const { connection, ...facts } = lock.pinned(startedAt);
    const bytes = await copyPinned({ connection, ...facts }, database.destination, advance);
    const copy = { ...facts, bytes, finishedAt: clock.now() };
    const examined = { database, path, copy, group: () => group, notes: [] };
    return { isCopied: true, finish: () => examineCopy(examined, copyRawApart, examiner) };
  } catch (error) {
    if (sqliteFault(error) === undefined) throw error;
    return raw(describeFault(error));
  }
}
