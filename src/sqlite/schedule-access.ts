import type Database from 'better-sqlite3';
import { BkpError, ioError } from '../base/errors.js';
import type { Connection } from './connection.js';
import { openImmutable, openLive } from './connection.js';
import { describeFault, sqliteFault } from './fault.js';
import { lookAt } from './live-place.js';
import type { LiveFile } from './member.js';
import { copyPrivately, type PrivateDeps } from './private-copy.js';
import type { ScheduleChangeRequest, ScheduleReadRequest, ScheduleReadResult } from './protocol.js';
import { removeDatabase } from './raw-copy.js';
import { changeSchedules, readSchedules } from './schedule-table.js';
import { sidecarsOf } from './sidecars.js';
import { databaseNames, sidecarFault } from './super-journal.js';

/** Milliseconds. An application's transaction is short; a longer one is somebody's mistake, and told. */
const busyTimeout = 3000;
/** Who reads has a way round. */
const readTimeout = 500;

/**
 * Reads the schedules in a live database and changes neither it nor its `-wal` or `-journal`. Where it cannot be read like that
 * (locked, a transaction to be rolled back, no permission), or with `copy`, a private copy is read.
 */
export async function readScheduleTable(request: ScheduleReadRequest, deps: PrivateDeps): Promise<ScheduleReadResult> {
  const file = await lookedAt(request, deps);
  const read = request.copy ? undefined : readLive(file, deps);
  return read ?? readCopy(file, request.scratch, deps);
}

/** Changes the schedules in a live database, as any program would. */
export async function changeScheduleTable(request: ScheduleChangeRequest, deps: PrivateDeps): Promise<boolean> {
  const file = await lookedAt(request, deps);
  const { path } = file;
  // An application that has not made its database yet is not to find one.
  if (file.size === 0) throw unwritable(path, 'it is empty');
  let connection: Connection | undefined;
  try {
    connection = openChecked(file, deps, { readonly: false, timeout: busyTimeout });
    return changeSchedules(connection.db, path, request.change, request.now);
  } catch (error) {
    throw changeFailure(path, error);
  } finally {
    connection?.close();
  }
}

async function lookedAt(
  { path, group }: ScheduleReadRequest | ScheduleChangeRequest,
  deps: PrivateDeps,
): Promise<LiveFile> {
  const { file } = await lookAt(path, path, deps.held, await databaseNames([path, ...group]));
  if (file.kind === 'database') return file;
  throw unreadable(path, file.kind === 'held' ? `${path} is being restored` : file.reason);
}

/** Undefined where it cannot be read without touching it. */
function readLive(file: LiveFile, deps: PrivateDeps): ScheduleReadResult | undefined {
  let connection: Connection | undefined;
  try {
    connection = openChecked(file, deps, { readonly: !leavesNothing(file), timeout: readTimeout });
    return readSchedules(connection.db, file.path);
  } catch (error) {
    const fault = sqliteFault(error);
    if (fault === 'busy' || fault === 'no-access') return undefined;
    if (fault === undefined) throw error;
    throw unreadable(file.path, describeFault(error));
  } finally {
    connection?.close();
  }
}

/**
 * Measured: a read-only connection leaves an empty `-wal` and a `-shm` beside a WAL database that nobody has open, and one that
 * may write removes them; where a `-wal` lies there already, the latter would bring it in, the former leaves it as it is.
 */
function leavesNothing({ path, journalMode }: LiveFile): boolean {
  return journalMode === 'wal' && sidecarsOf(path).length === 0;
}

interface Opening {
  readonly readonly: boolean;
  /** Milliseconds. */
  readonly timeout: number;
}

function openChecked({ path, id, names }: LiveFile, { held }: PrivateDeps, { readonly, timeout }: Opening): Connection {
  // As near to the moment as can be: SQLite acts on what lies there when it first reads.
  const fault = sidecarFault(path, names);
  if (fault !== undefined) throw unreadable(path, fault);
  return openLive(path, id, held, timeout, { readonly });
}

async function readCopy(file: LiveFile, scratch: string, deps: PrivateDeps): Promise<ScheduleReadResult> {
  const copy = await copyPrivately(file, scratch, 'locked', deps);
  try {
    if (copy.kind === 'changing') throw inUse(file.path, 'it kept changing while it was read');
    if (copy.kind !== 'copied') throw unreadable(file.path, copy.reason);
    return fromCopy(scratch, file.path);
  } finally {
    await removeDatabase(scratch);
  }
}

function fromCopy(copy: string, path: string): ScheduleReadResult {
  let db: Database.Database | undefined;
  try {
    db = openImmutable(copy);
    return readSchedules(db, path);
  } catch (error) {
    if (sqliteFault(error) === undefined) throw error;
    throw unreadable(path, describeFault(error));
  } finally {
    db?.close();
  }
}

function changeFailure(path: string, error: unknown): unknown {
  switch (sqliteFault(error)) {
    case undefined:
      return error;
    case 'busy':
      return inUse(path, `it stayed locked by another program for ${busyTimeout / 1000} s`);
    case 'full':
      return ioError('changing the schedules in', path, error);
    case 'damaged':
      return unreadable(path, describeFault(error));
    case 'no-access':
    case 'io':
    case 'other':
      return unwritable(path, describeFault(error));
  }
}

function inUse(path: string, reason: string): BkpError {
  return new BkpError('database-in-use', `the schedules in ${path} are out of reach: ${reason}`, {
    path,
    hint: 'Try again when that program has ended its transaction.',
  });
}

function unreadable(path: string, reason: string): BkpError {
  return new BkpError('schedules-unreadable', `the schedules in ${path} cannot be read: ${reason}`, {
    path,
    hint: 'Check that the application works, and what the user that runs bkp may read.',
  });
}

function unwritable(path: string, reason: string): BkpError {
  return new BkpError('schedules-unwritable', `the schedules in ${path} cannot be changed: ${reason}`, {
    path,
    hint: 'Nothing was changed. Check that the application works, and what the user that runs bkp may write.',
  });
}
