import type { Database } from 'better-sqlite3';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { timestamp, type Clock } from '../base/clock.js';
import { systemCode } from '../base/errors.js';
import { displayName } from './display-name.js';

/** Who holds a lock, as it says itself. */
export interface LockHolder {
  readonly holder: string;
  readonly pid: string;
  readonly host: string;
  /** RFC 3339, UTC. */
  readonly since: string;
}

/**
 * Takes the write lock and keeps it, after telling others who we are (`holder`), where that is wanted. `taken`: another
 * has it; `contended`: another came in between, or is looking at this moment.
 */
export function claim(database: Database, holder: string | undefined, clock: Clock): 'claimed' | 'taken' | 'contended' {
  // Nothing will be written: no journal beside the file either, which SQLite makes for an empty one.
  if (holder === undefined) database.pragma('journal_mode = MEMORY');
  if (unlessBusy(() => database.exec('BEGIN IMMEDIATE')) === undefined) return 'taken';
  if (holder === undefined) return 'claimed';
  const token = randomUUID();
  const isOurs = unlessBusy(() => {
    writeHolder(database, [token, holder, process.pid, hostname(), timestamp(clock.now())]);
    database.exec('COMMIT');
    database.exec('BEGIN IMMEDIATE');
    return database.prepare('SELECT token FROM holder WHERE id = 1').pluck().get() === token;
  });
  return isOurs === true ? 'claimed' : 'contended';
}

/** Undefined while nobody has said so, or it cannot be read at this moment. */
export function readHolder(database: Database): LockHolder | undefined {
  const row = unlessBusy(() => readRow(database));
  if (row === undefined) return undefined;
  const text = (name: string): string => displayName(String(row.get(name)));
  return { holder: text('holder'), pid: text('pid'), host: text('host'), since: text('since') };
}

function writeHolder(database: Database, values: readonly [string, string, number, string, string]): void {
  database.exec(
    'CREATE TABLE IF NOT EXISTS holder (id INTEGER PRIMARY KEY, token TEXT, holder TEXT, pid INTEGER, host TEXT, since TEXT)',
  );
  database
    .prepare('INSERT OR REPLACE INTO holder (id, token, holder, pid, host, since) VALUES (1, ?, ?, ?, ?, ?)')
    .run(values);
}

function readRow(database: Database): ReadonlyMap<string, unknown> | undefined {
  if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'holder'").get() === undefined) return undefined;
  const row = database.prepare('SELECT holder, pid, host, since FROM holder WHERE id = 1').get();
  return row === undefined ? undefined : new Map<string, unknown>(Object.entries(row as object));
}

/** Undefined where another connection is in the way. */
function unlessBusy<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (systemCode(error)?.startsWith('SQLITE_BUSY') === true) return undefined;
    throw error;
  }
}
