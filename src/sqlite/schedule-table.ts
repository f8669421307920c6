import type Database from 'better-sqlite3';
import { BkpError } from '../base/errors.js';
import {
  maxSchedules,
  maxScheduleText,
  overlongText,
  scheduleColumns,
  scheduleValueColumns,
  type ScheduleChange,
  type ScheduleColumn,
  type ScheduleValues,
  type UntypedRow,
} from '../base/schedule-row.js';
import type { ScheduleReadResult } from './protocol.js';

/** As it is documented; made by the first schedule that is set. */
export const scheduleTableSql = `CREATE TABLE backup_schedule (name TEXT PRIMARY KEY, frequency TEXT NOT NULL, time_of_day TEXT NOT NULL, day_of_week TEXT, day_of_month INTEGER, timezone TEXT, keep INTEGER NOT NULL,
  scopes TEXT, project TEXT, format TEXT, options TEXT, enabled INTEGER NOT NULL DEFAULT 1, created_at TEXT NOT NULL, updated_at TEXT NOT NULL)`;

/**
 * All schedules of a database, in the order they lie in; none where it has no such table. Bounded in time and memory whatever
 * the database holds. Throws `schedules-invalid`, and errors of SQLite. `path`: for messages.
 */
export function readSchedules(db: Database.Database, path: string): ScheduleReadResult {
  db.pragma('trusted_schema = OFF');
  if (!hasTable(db, path)) return { rows: [], missing: [] };
  const missing = missingColumns(db);
  const columns = scheduleColumns.map((name) => (missing.includes(name) ? `NULL AS ${name}` : boundedColumn(name)));
  // In no order: sorting would read them all.
  const rows = db
    .prepare<[], UntypedRow>(`SELECT ${columns.join(', ')} FROM backup_schedule LIMIT ${maxSchedules + 1}`)
    .all();
  if (rows.length > maxSchedules) throw tooMany(path);
  return { rows, missing };
}

/** Without loading a longer text: its length is in the row's header. */
const boundedColumn = (name: string): string =>
  `CASE WHEN octet_length(${name}) > ${maxScheduleText} THEN '${overlongText}' ELSE ${name} END AS ${name}`;

/**
 * Makes a change in one short transaction; false where there is no schedule of that name to be removed or enabled. Columns the
 * application has added are left alone. `now`: RFC 3339. Throws as `readSchedules` does.
 */
export function changeSchedules(db: Database.Database, path: string, change: ScheduleChange, now: string): boolean {
  return db
    .transaction(() => {
      const isThere = hasTable(db, path);
      if (!isThere && change.kind !== 'put') return false;
      if (!isThere) db.exec(scheduleTableSql);
      const missing = missingColumns(db);
      if (missing.length > 0) throw lacksColumns(path, missing);
      switch (change.kind) {
        case 'put':
          return put(db, path, change.row, now);
        case 'remove':
          return db.prepare('DELETE FROM backup_schedule WHERE name = ?').run(change.name).changes > 0;
        case 'enable':
          return (
            db
              .prepare('UPDATE backup_schedule SET enabled = ?, updated_at = ? WHERE name = ?')
              .run(change.enabled ? 1 : 0, now, change.name).changes > 0
          );
      }
    })
    .immediate();
}

/** Not ON CONFLICT: a table of the application's own may have no unique index on the name. */
function put(db: Database.Database, path: string, row: ScheduleValues, now: string): true {
  const sets = scheduleValueColumns.map((name) => `${name} = @${name}`).join(', ');
  const values = { ...row, now };
  const update = `UPDATE backup_schedule SET ${sets}, updated_at = @now WHERE name = @name`;
  if (db.prepare(update).run(values).changes > 0) return true;
  const count = db.prepare<[], number>('SELECT count(*) FROM backup_schedule').pluck().get() ?? 0;
  if (count >= maxSchedules) throw tooMany(path);
  const names = scheduleValueColumns.map((name) => `@${name}`).join(', ');
  db.prepare(`INSERT INTO backup_schedule (${scheduleColumns.join(', ')}) VALUES (${names}, @now, @now)`).run(values);
  return true;
}

/** Whether there is one. A view or virtual table of that name could take forever or do anything: throws. */
function hasTable(db: Database.Database, path: string): boolean {
  const found = db
    .prepare<[], { readonly type: string; readonly rootpage: number | null }>(
      "SELECT type, rootpage FROM sqlite_schema WHERE lower(name) = 'backup_schedule' AND type IN ('table', 'view')",
    )
    .get();
  if (found === undefined) return false;
  if (found.type === 'table' && (found.rootpage ?? 0) > 0) return true;
  throw invalid(
    path,
    'backup_schedule is not an ordinary table',
    'Give that another name: bkp makes the table where there is none.',
  );
}

/** Computed columns count as missing: they cannot be written, and what they compute is not ours to run. */
function missingColumns(db: Database.Database): readonly ScheduleColumn[] {
  const found = db
    .prepare<[], string>("SELECT lower(name) FROM pragma_table_xinfo('backup_schedule') WHERE hidden = 0")
    .pluck()
    .all();
  return scheduleColumns.filter((name) => !found.includes(name));
}

export function lacksColumns(path: string, missing: readonly ScheduleColumn[]): BkpError {
  const what = `its table backup_schedule lacks ${missing.length === 1 ? 'the column' : 'the columns'} ${missing.join(', ')}`;
  return invalid(path, what, 'Add what is missing (ALTER TABLE backup_schedule ADD COLUMN …).');
}

function tooMany(path: string): BkpError {
  return invalid(path, `it holds more than ${maxSchedules} schedules`, 'Remove those that nobody needs.');
}

function invalid(path: string, what: string, hint: string): BkpError {
  return new BkpError('schedules-invalid', `the schedules in ${path} cannot be used: ${what}`, { path, hint });
}
