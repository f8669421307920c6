import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { ScheduleChange, ScheduleValues } from '../../src/base/schedule-row.js';
import type { ScheduleReadResult } from '../../src/sqlite/protocol.js';
import { isRoot, unprivilegedAsync } from '../helpers/surroundings.js';
import {
  sharedChild,
  containing,
  crashAfter,
  makeDatabase,
  overwritePage,
  place,
  readDatabase,
  startApplication,
  sums,
  type Place,
} from './databases.js';

const daily: ScheduleValues = {
  name: 'daily',
  frequency: 'daily',
  time_of_day: '03:30',
  day_of_week: null,
  day_of_month: null,
  timezone: 'Europe/Berlin',
  keep: 7,
  scopes: null,
  project: null,
  format: 'zip',
  options: '{"level":9}',
  enabled: 1,
};

/** The definition in the documentation, on lines of its own. */
const documented = `CREATE TABLE backup_schedule (name TEXT PRIMARY KEY, frequency TEXT NOT NULL, time_of_day TEXT NOT NULL,
  day_of_week TEXT, day_of_month INTEGER, timezone TEXT, keep INTEGER NOT NULL, scopes TEXT, project TEXT, format TEXT,
  options TEXT, enabled INTEGER NOT NULL DEFAULT 1, created_at TEXT NOT NULL, updated_at TEXT NOT NULL)`;

const insert = (name: string): string =>
  `INSERT INTO backup_schedule (name, frequency, time_of_day, keep, created_at, updated_at)
   VALUES ('${name}', 'daily', '03:30', 7, 'then', 'then')`;

function read(at: Place, name = 'x.db', copy = false): Promise<ScheduleReadResult> {
  return sharedChild().readSchedules({ path: at.live(name), group: [], copy, scratch: at.copy('scratch') });
}

function change(at: Place, what: ScheduleChange, now = '2025-10-30T12:00:00Z', name = 'x.db'): Promise<boolean> {
  return sharedChild().changeSchedules({ path: at.live(name), group: [], change: what, now });
}

const namesIn = ({ rows }: ScheduleReadResult): unknown[] => rows.map(({ name }) => name);

describe('a schedule in a database', () => {
  it('is put, replaced, disabled and removed', async () => {
    const at = await place();
    makeDatabase(at.live('x.db'), 'CREATE TABLE t (a)');
    expect(await read(at)).toEqual({ rows: [], missing: [] });
    expect(await change(at, { kind: 'put', row: daily })).toBe(true);
    const stored = { ...daily, created_at: '2025-10-30T12:00:00Z', updated_at: '2025-10-30T12:00:00Z' };
    expect(await read(at)).toEqual({ rows: [stored], missing: [] });
    const later = '2025-10-31T12:00:00Z';
    expect(await change(at, { kind: 'put', row: { ...daily, keep: 3, options: null } }, later)).toBe(true);
    expect(await change(at, { kind: 'put', row: { ...daily, name: 'weekly' } }, later)).toBe(true);
    expect(await change(at, { kind: 'enable', name: 'weekly', enabled: false }, later)).toBe(true);
    expect((await read(at)).rows).toEqual([
      { ...stored, keep: 3, options: null, updated_at: later },
      { ...daily, name: 'weekly', enabled: 0, created_at: later, updated_at: later },
    ]);
    expect(await change(at, { kind: 'remove', name: 'daily' })).toBe(true);
    expect(namesIn(await read(at))).toEqual(['weekly']);
  });

  it('lies in the table that is documented', async () => {
    const at = await place();
    makeDatabase(at.live('x.db'), 'CREATE TABLE t (a)');
    makeDatabase(at.live('documented.db'), documented);
    await change(at, { kind: 'put', row: daily });
    const columns = "SELECT * FROM pragma_table_xinfo('backup_schedule')";
    expect(readDatabase(at.live('x.db'), columns)).toEqual(readDatabase(at.live('documented.db'), columns));
  });

  it('that is not there is told, and no table is made for it', async () => {
    const at = await place();
    makeDatabase(at.live('x.db'), 'CREATE TABLE t (a)');
    expect(await change(at, { kind: 'remove', name: 'daily' })).toBe(false);
    expect(await change(at, { kind: 'enable', name: 'daily', enabled: true })).toBe(false);
    expect(readDatabase(at.live('x.db'), 'SELECT name FROM sqlite_schema')).toEqual([{ name: 't' }]);
  });

  it('keeps what the application has added', async () => {
    const at = await place();
    makeDatabase(
      at.live('x.db'),
      // No unique name, other order, another case, more columns.
      documented.replace('(name TEXT PRIMARY KEY,', "(colour TEXT DEFAULT 'red', NAME TEXT,"),
      insert('daily'),
      "UPDATE backup_schedule SET colour = 'blue'",
    );
    await change(at, { kind: 'put', row: daily });
    await change(at, { kind: 'put', row: { ...daily, name: 'new' } });
    const colours = 'SELECT name, colour, keep FROM backup_schedule ORDER BY name';
    expect(readDatabase(at.live('x.db'), colours)).toEqual([
      { NAME: 'daily', colour: 'blue', keep: 7 },
      { NAME: 'new', colour: 'red', keep: 7 },
    ]);
    expect(namesIn(await read(at))).toEqual(['daily', 'new']);
  });

  it('is told as it is, however wrong', async () => {
    const at = await place();
    makeDatabase(
      at.live('x.db'),
      documented,
      insert('daily'),
      `UPDATE backup_schedule SET keep = 'many', scopes = x'00ff', day_of_month = 1.5, enabled = -1,
       options = printf('%.65536c', 'o'), format = printf('%.65537c', 'f'), project = zeroblob(20000000)`,
    );
    const [row] = (await read(at)).rows;
    expect(row).toMatchObject({ keep: 'many', day_of_month: 1.5, enabled: -1, format: '\ufffd', project: '\ufffd' });
    expect(row?.options).toHaveLength(65536);
    expect(Buffer.from(row?.scopes as Uint8Array)).toEqual(Buffer.from([0, 255]));
  });
});

describe('a table that is not as it should be', () => {
  it('lacks columns by name', async () => {
    const at = await place();
    makeDatabase(
      at.live('x.db'),
      documented.replace('project TEXT, format TEXT,', 'format AS (keep),'),
      insert('daily'),
    );
    const { rows, missing } = await read(at);
    expect(missing).toEqual(['project', 'format']);
    expect(rows).toMatchObject([{ name: 'daily', project: null, format: null }]);
    await expect(change(at, { kind: 'put', row: daily })).rejects.toMatchObject({
      id: 'schedules-invalid',
      exitCode: 1,
      message: containing('its table backup_schedule lacks the columns project, format'),
    });
  });

  it('is never asked where it is a view that has no end, or a virtual table', async () => {
    const at = await place();
    const columns = 'name, frequency, time_of_day, day_of_week, day_of_month, timezone, keep, scopes, project, format';
    makeDatabase(
      at.live('x.db'),
      `CREATE VIEW backup_schedule AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
       SELECT ${columns.replace(/\w+/g, 'i AS $&')} FROM n`,
    );
    makeDatabase(at.live('y.db'), `CREATE VIRTUAL TABLE backup_schedule USING fts5(${columns})`);
    for (const name of ['x.db', 'y.db']) {
      const failed = { id: 'schedules-invalid', message: containing('backup_schedule is not an ordinary table') };
      await expect(read(at, name)).rejects.toMatchObject(failed);
      await expect(change(at, { kind: 'put', row: daily }, '', name)).rejects.toMatchObject(failed);
    }
  });

  it('holds no more than a thousand', async () => {
    const at = await place();
    makeDatabase(at.live('x.db'), documented, (db) => {
      db.exec('BEGIN');
      for (let n = 0; n < 1000; n += 1) db.exec(insert(`s${n}`));
      db.exec('COMMIT');
    });
    expect((await read(at)).rows).toHaveLength(1000);
    const failed = { id: 'schedules-invalid', message: containing('it holds more than 1000 schedules') };
    await expect(change(at, { kind: 'put', row: daily })).rejects.toMatchObject(failed);
    expect(await change(at, { kind: 'put', row: { ...daily, name: 's7' } })).toBe(true);
    makeDatabase(at.live('x.db'), insert('one more'));
    await expect(read(at)).rejects.toMatchObject(failed);
  });

  it('refuses a change with the application’s own words', async () => {
    const at = await place();
    makeDatabase(
      at.live('x.db'),
      documented,
      "CREATE TRIGGER t BEFORE INSERT ON backup_schedule BEGIN SELECT RAISE(ABORT, 'not on a Sunday'); END",
    );
    await expect(change(at, { kind: 'put', row: daily })).rejects.toMatchObject({
      id: 'schedules-unwritable',
      message: containing('not on a Sunday (SQLITE_CONSTRAINT_TRIGGER)'),
    });
    expect((await read(at)).rows).toEqual([]);
  });
});

const filled = (mode: string): readonly string[] => [`PRAGMA journal_mode = ${mode}`, documented, insert('daily')];
/** Larger than the cache: pages of it are in the file already when the process is killed. */
const halfWritten = [
  'PRAGMA cache_size = 1',
  'CREATE TABLE pad (a)',
  'BEGIN',
  insert('lost'),
  'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500) INSERT INTO pad SELECT zeroblob(3000) FROM n',
];

describe('reading', () => {
  const states: Record<string, (at: Place) => void> = {
    'a rollback journal': (at) => void makeDatabase(at.live('x.db'), ...filled('DELETE')),
    'a WAL database that nobody has open': (at) => void makeDatabase(at.live('x.db'), ...filled('WAL')),
    'a WAL that was left behind': (at) => crashAfter(at.live('x.db'), ...filled('WAL')),
    'a transaction that was cut off': (at) => crashAfter(at.live('x.db'), ...filled('DELETE'), ...halfWritten),
  };

  it.each(
    Object.keys(states).flatMap((state) => [
      { state, copy: false },
      { state, copy: true },
    ]),
  )('leaves $state as it is (copy: $copy)', async ({ state, copy }) => {
    const at = await place();
    states[state]!(at);
    // The index of a WAL is shared memory: readers mark their place in it.
    const content = (): unknown => ({ ...sums(at.live('.')), ...(copy ? {} : { 'x.db-shm': 'an index' }) });
    const before = content();
    expect(namesIn(await read(at, 'x.db', copy))).toEqual(['daily']);
    expect(content()).toEqual(before);
    expect(sums(at.copy('.'))).toEqual({});
  });

  it('sees what an application has committed, and not what it has not', async () => {
    const at = await place();
    for (const mode of ['DELETE', 'WAL']) {
      const name = `${mode}.db`;
      makeDatabase(at.live(name), ...filled(mode));
      await startApplication(
        'sqlite-writer-holding.mjs',
        at.live(name),
        insert('committed'),
        'BEGIN IMMEDIATE',
        insert('pending'),
      );
      for (const copy of [false, true]) {
        expect(namesIn(await read(at, name, copy))).toEqual(['daily', 'committed']);
      }
    }
  });

  it('goes round a lock that is not given up', async () => {
    const at = await place();
    makeDatabase(at.live('x.db'), ...filled('DELETE'));
    await startApplication('sqlite-writer-holding.mjs', at.live('x.db'), 'BEGIN EXCLUSIVE');
    expect(namesIn(await read(at, 'x.db', true))).toEqual(['daily']);
    expect(namesIn(await read(at))).toEqual(['daily']);
    // A change cannot.
    await expect(change(at, { kind: 'put', row: daily })).rejects.toMatchObject({
      id: 'database-in-use',
      exitCode: 15,
      message: containing('it stayed locked by another program for 3 s'),
    });
  });

  it('says what is wrong with the database', async () => {
    const at = await place();
    writeFileSync(at.live('noise.db'), 'not a database at all');
    mkdirSync(at.live('folder.db'));
    makeDatabase(at.live('torn.db'), ...filled('DELETE'));
    writeFileSync(at.live('torn.db'), Buffer.alloc(8192, 0x5a), { flag: 'r+' });
    for (const [name, reason] of [
      ['missing.db', 'does not exist'],
      ['noise.db', 'does not begin as a SQLite database'],
      ['folder.db', 'is a directory'],
      ['torn.db', 'does not begin as a SQLite database'],
    ] as const) {
      const failed = { id: 'schedules-unreadable', exitCode: 1, message: containing(reason) };
      for (const copy of [true, false]) await expect(read(at, name, copy)).rejects.toMatchObject(failed);
      await expect(change(at, { kind: 'put', row: daily }, '', name)).rejects.toMatchObject(failed);
    }
    expect(existsSync(at.live('missing.db'))).toBe(false);
  });

  it('finds none in an empty file, which is left to its application', async () => {
    const at = await place();
    writeFileSync(at.live('x.db'), '');
    for (const copy of [true, false]) expect((await read(at, 'x.db', copy)).rows).toEqual([]);
    await expect(change(at, { kind: 'put', row: daily })).rejects.toMatchObject({
      id: 'schedules-unwritable',
      message: containing('it is empty'),
    });
    expect(readFileSync(at.live('x.db'))).toHaveLength(0);
  });

  it('finds damage behind a sound header', async () => {
    const at = await place();
    makeDatabase(at.live('x.db'), ...filled('DELETE'));
    const db = new Database(at.live('x.db'));
    const page = db.prepare("SELECT rootpage FROM sqlite_schema WHERE type = 'table'").pluck().get() as number;
    db.close();
    overwritePage(at.live('x.db'), page);
    const failed = { id: 'schedules-unreadable', message: containing('SQLITE_CORRUPT') };
    for (const copy of [true, false]) await expect(read(at, 'x.db', copy)).rejects.toMatchObject(failed);
    await expect(change(at, { kind: 'put', row: daily })).rejects.toMatchObject(failed);
  });
});

describe.runIf(isRoot)('without permission to write (needs root to become nobody)', () => {
  it.each(['DELETE', 'WAL'])('a database (%s) can be read, and not changed', async (mode) => {
    const at = await place();
    makeDatabase(at.live('x.db'), ...filled(mode));
    chmodSync(at.copy('.'), 0o777);
    const before = sums(at.live('.'));
    await unprivilegedAsync(async () => {
      expect(namesIn(await read(at))).toEqual(['daily']);
      await expect(change(at, { kind: 'put', row: daily })).rejects.toMatchObject({
        id: 'schedules-unwritable',
        message: containing('SQLITE_'),
      });
    });
    expect(sums(at.live('.'))).toEqual(before);
  });

  it('what lies beside a database of another user stays his', async () => {
    const at = await place();
    crashAfter(at.live('x.db'), ...filled('WAL'));
    for (const suffix of ['', '-wal', '-shm']) chownSync(at.live(`x.db${suffix}`), 65534, 65534);
    chownSync(at.live('.'), 65534, 65534);
    await change(at, { kind: 'put', row: { ...daily, name: 'new' } });
    await unprivilegedAsync(async () => {
      await change(at, { kind: 'remove', name: 'daily' });
      expect(namesIn(await read(at))).toEqual(['new']);
    });
  });
});
