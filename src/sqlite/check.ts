import { existsSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { errorText, ioError } from '../base/errors.js';
import { openImmutable } from './connection.js';
import { describeFault, sqliteFault } from './fault.js';
import type { CheckResult } from './protocol.js';
import { Tally } from './tally.js';

/** Rows asked of `integrity_check`: enough that broken constraints do not crowd out damage, bounded in memory. */
const maxRows = 100_000;

/** Opens a file that nobody else uses for as long as `use` runs; failures of the file itself come out as `BkpError`. */
export function withCopy<T>(path: string, use: (db: Database.Database) => T): T {
  let db: Database.Database | undefined;
  try {
    db = openImmutable(path);
    return use(db);
  } catch (error) {
    if (sqliteFault(error) === undefined) throw error;
    throw ioError('checking', path, error, existsSync(path) ? 'io-failed' : 'file-not-found');
  } finally {
    db?.close();
  }
}

/**
 * Runs SQLite's own checks. Measured with SQLite 3.53: a missing collation, an index on a missing function and an FTS table
 * with a missing tokenizer make the whole check throw; then each table is checked for itself, so that damage elsewhere is
 * still found. A virtual table whose module is missing is passed over in silence, and is asked for here.
 */
export function checkDatabase(db: Database.Database): CheckResult {
  const tally = new Tally();
  try {
    // What the file says of itself must not run functions that reach outside of it.
    db.pragma('trusted_schema = OFF');
    const tables = db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
    checkIntegrity(db, tally, tables);
    checkForeignKeys(db, tally, tables);
    checkModules(db, tally);
  } catch (error) {
    if (sqliteFault(error) !== 'damaged') throw error;
    tally.addDamage(describeFault(error));
  }
  return tally.verdict();
}

function checkIntegrity(db: Database.Database, tally: Tally, tables: readonly string[]): void {
  const check = (argument: string): void => {
    const rows = db.prepare<[], string>(`PRAGMA integrity_check(${argument})`).pluck().all();
    for (const row of rows) {
      requireReadable(row);
      tally.addRow(row);
    }
    if (rows.length >= maxRows) tally.addGap(`only the first ${maxRows} findings were looked at`);
  };
  if (attempt(() => check(String(maxRows)), tally)) return;
  for (const table of tables) attempt(() => check(quoted(table)), tally);
}

const unreadablePage = /unable to get the page\. error code=(\d+)/;
const ioErrorCode = 10;

/** `integrity_check` makes a row even of a read that failed; its extended code has SQLITE_IOERR in the low byte. */
function requireReadable(row: string): void {
  const code = Number(unreadablePage.exec(row)?.[1]);
  if ((code & 0xff) !== ioErrorCode) return;
  throw Object.assign(new Error(`disk I/O error: ${row}`), { code: 'SQLITE_IOERR' });
}

function checkForeignKeys(db: Database.Database, tally: Tally, tables: readonly string[]): void {
  const violations = db.prepare<[string], { parent: string; rows: number }>(
    'SELECT parent, count(*) AS rows FROM pragma_foreign_key_check(?) GROUP BY parent',
  );
  // Table by table: one key declared wrongly would end the check of all others.
  for (const table of tables) {
    attempt(() => {
      for (const { parent, rows } of violations.all(table)) {
        tally.addConstraint(`a row of ${table} refers to no row of ${parent}`, rows);
      }
    }, tally);
  }
}

function checkModules(db: Database.Database, tally: Tally): void {
  const virtual = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL%'";
  for (const name of db.prepare<[], string>(virtual).pluck().all()) {
    attempt(() => db.prepare(`SELECT 1 FROM ${quoted(name)}`), tally);
  }
}

/** False, with the reason in the tally, where a check itself is impossible. Damage and failing reads are thrown on. */
function attempt(check: () => unknown, tally: Tally): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (sqliteFault(error) !== 'other') throw error;
    const text = errorText(error);
    // A key declared on columns that are none: SQLite itself lives with it.
    if (text.startsWith('foreign key mismatch')) tally.addConstraint(text, 1);
    else tally.addGap(text);
    return false;
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
