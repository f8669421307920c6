import { join } from 'node:path';
import { timestamp, type Clock } from '../base/clock.js';
import { BkpError, errorText } from '../base/errors.js';
import {
  maxSchedules,
  maxScheduleText,
  overlongText,
  scheduleColumns,
  type ScheduleChange,
  type UntypedRow,
} from '../base/schedule-row.js';
import { lookAt } from '../fs/file-stat.js';
import { acquireLock } from '../fs/lock.js';
import { writeFileDurably } from '../fs/partial-file.js';
import { readSmall } from '../fs/read-file.js';

export const schedulesName = 'schedules.json';

/** Held for the moment of a change only: not the storage's lock, which a backup holds for hours. */
const lockName = '.schedules.lock';
/** Milliseconds. */
const lockWait = 5000;

/** What this version writes. */
const fileVersion = 1;
const maxBytes = 4 * 1024 * 1024;

/** A schedule as the file has it, with whatever else somebody wrote there. */
type RawRow = Readonly<Record<string, unknown>>;

/** The schedules of an instance without a database of its own for them: a file in the storage, for its owner alone. */
export class SchedulesFile {
  readonly path: string;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #instance: string;

  /** `folder`: the storage's, which others may share. Must exist before anything is changed. */
  constructor(folder: string, instance: string, clock: Clock) {
    this.#instance = instance;
    this.path = join(folder, schedulesName);
    this.#folder = folder;
    this.#clock = clock;
  }

  /** None where there is no file. Throws `schedules-unreadable`, `schedules-invalid` or `format-newer`. */
  read(): readonly UntypedRow[] {
    return this.#rows()
      .filter((row) => isOf(this.#instance, row))
      .map(untyped);
  }

  /**
   * Whole or not at all; false where there is no schedule of that name to be removed or enabled. What cannot be read is not
   * replaced: rejects as `read` does, or with `lock-held`, `no-space`, `output-unwritable`.
   */
  async change(change: ScheduleChange, signal?: AbortSignal): Promise<boolean> {
    const lock = await acquireLock(join(this.#folder, lockName), {
      wait: lockWait,
      clock: this.#clock,
      ...(signal === undefined ? {} : { signal }),
    });
    try {
      const rows = this.#rows();
      const changed = changedRows(rows, this.#instance, change, timestamp(this.#clock.now()));
      if (changed === undefined) return false;
      if (changed.length > maxSchedules) throw this.#invalid(`it holds more than ${maxSchedules} schedules`);
      const text = `${JSON.stringify({ version: fileVersion, schedules: changed }, null, 2)}\n`;
      await writeFileDurably(this.path, Buffer.from(text), 0o600);
      return true;
    } finally {
      lock.release();
    }
  }

  #rows(): readonly RawRow[] {
    if (lookAt(this.path) === undefined) return [];
    const read = readSmall(this.path, undefined, { maxBytes });
    switch (read.kind) {
      case 'read':
        return this.#parsed(read.bytes);
      case 'large':
        throw this.#invalid(`it is larger than ${maxBytes} bytes`);
      case 'vanished':
        throw this.#invalid('it is not a regular file');
      case 'unreadable':
        throw this.#unreadable(read.reason);
    }
  }

  #parsed(bytes: Buffer): readonly RawRow[] {
    let raw: unknown;
    try {
      raw = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch (error) {
      throw this.#invalid(`it is not JSON in UTF-8 (${errorText(error)})`);
    }
    if (!isObject(raw) || typeof raw['version'] !== 'number') throw this.#invalid('it has no version');
    if (raw['version'] > fileVersion) {
      throw new BkpError('format-newer', `${this.path} was written by a newer version of bkp`, {
        path: this.path,
        hint: 'Use that version, or newer.',
      });
    }
    const rows: unknown = raw['schedules'];
    if (!Array.isArray(rows) || !rows.every(isObject)) throw this.#invalid('it has no list of schedules');
    if (rows.length > maxSchedules) throw this.#invalid(`it holds more than ${maxSchedules} schedules`);
    return rows;
  }

  #unreadable(reason: string): BkpError {
    return new BkpError('schedules-unreadable', `the schedules in ${this.path} cannot be read: ${reason}`, {
      path: this.path,
      hint: 'Check what the user that runs bkp may read.',
    });
  }

  #invalid(what: string): BkpError {
    return new BkpError('schedules-invalid', `the schedules in ${this.path} cannot be used: ${what}`, {
      path: this.path,
      hint: 'Mend the file, or move it away and set the schedules anew.',
    });
  }
}

function isObject(value: unknown): value is RawRow {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function untyped(row: RawRow): UntypedRow {
  const value = (column: string): unknown => (Object.hasOwn(row, column) ? bounded(row[column]) : null);
  return Object.fromEntries(scheduleColumns.map((column) => [column, value(column)])) as UntypedRow;
}

function bounded(value: unknown): unknown {
  const isOverlong = typeof value === 'string' && Buffer.byteLength(value) > maxScheduleText;
  return isOverlong ? overlongText : value;
}

/** One that names no instance was written by hand, by somebody who has only one. */
const isOf = (instance: string, row: RawRow): boolean => (row['instance'] ?? instance) === instance;

/** Undefined where nothing has that name. Keys that are not ours, and schedules of other instances, stay. */
function changedRows(
  rows: readonly RawRow[],
  instance: string,
  change: ScheduleChange,
  now: string,
): readonly RawRow[] | undefined {
  const name = change.kind === 'put' ? change.row.name : change.name;
  const isNamed = (row: RawRow): boolean => isOf(instance, row) && row['name'] === name;
  const isThere = rows.some(isNamed);
  switch (change.kind) {
    case 'put': {
      const put = { instance, ...change.row, updated_at: now };
      if (!isThere) return [...rows, { ...put, created_at: now }];
      return rows.map((row) => (isNamed(row) ? { ...row, ...put } : row));
    }
    case 'remove':
      return isThere ? rows.filter((row) => !isNamed(row)) : undefined;
    case 'enable': {
      const put = { enabled: change.enabled ? 1 : 0, updated_at: now };
      return isThere ? rows.map((row) => (isNamed(row) ? { ...row, ...put } : row)) : undefined;
    }
  }
}
