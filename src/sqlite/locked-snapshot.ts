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
  const startedAt = deps.clock.now();
  const databases: DatabaseSnapshot[] = [];
  for (const database of request.databases) {
    const path = await placeOf(database.path);
    const id = await idAt(path);
    const lock = deps.locks.find(id);
    if (lock !== undefined) {
      databases.push(await copyLocked({ database, path, lock, startedAt, group: request.group }, deps));
      continue;
    }
    const file = await inspectDatabase(path, deps.held, new Set());
    if (file.kind === 'missing' || file.kind === 'unreadable') databases.push({ ...file, name: database.name });
    else {
      const reason = deps.locks.whyBroken(id);
      if (reason === undefined) throw appearedMeanwhile(path);
      databases.push(await keepRaw(database, path, reason, copyRawApart));
    }
  }
  return { databases };
}

interface Task {
  readonly database: DatabaseRequest;
  readonly path: string;
  readonly lock: ExclusiveLock;
  readonly startedAt: number;
  readonly group: number;
}

async function copyLocked(task: Task, { advance, clock, examiner }: LockedSnapshotDeps): Promise<DatabaseSnapshot> {
  const { database, path, lock, startedAt } = task;
  if (lock.fault !== undefined) return keepRaw(database, path, `${database.path}: ${lock.fault}`, copyRawApart);
  try {
    const { connection, ...facts } = lock.pinned(startedAt);
    const bytes = await copyPinned({ connection, ...facts }, database.destination, advance);
    const copy = { ...facts, bytes, finishedAt: clock.now() };
    return await examineCopy({ database, path, copy, group: () => task.group, notes: [] }, copyRawApart, examiner);
  } catch (error) {
    if (sqliteFault(error) === undefined) throw error;
    return keepRaw(database, path, `${database.path}: ${describeFault(error)}`, copyRawApart);
  }
}
