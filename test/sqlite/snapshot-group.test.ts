import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { rounds } from '../helpers/rounds.js';
import {
  sharedChild,
  expectKind,
  makeDatabase,
  matching,
  place,
  readDatabase,
  snapshotOf,
  startApplication,
  stopWriter,
} from './databases.js';

const tables =
  'CREATE TABLE counter (n INTEGER NOT NULL); INSERT INTO counter VALUES (0); CREATE TABLE log (writer, pad)';

/** Of a copy: the counter, which the application raises with every row it logs. */
function counter(path: string): { n: number; rows: number } {
  const [row] = readDatabase<{ n: number; rows: number }>(
    path,
    'SELECT n, (SELECT count(*) FROM log) AS rows FROM counter',
  );
  if (row === undefined) throw new Error(`no counter in ${path}`);
  return row;
}

describe.each(['wal', 'delete'])('two databases written to in one transaction, journal mode %s', (mode) => {
  it('are copied again and again, at one instant each time, while two applications write, and neither application sees an error', async () => {
    const at = await place();
    // Large enough for several steps, so that commits fall into the copying.
    const ballast = 'CREATE TABLE ballast AS SELECT zeroblob(20000000) AS pad';
    for (const name of ['a.db', 'b.db'])
      makeDatabase(at.live(name), `PRAGMA journal_mode = ${mode}; ${tables}; ${ballast}`);
    const writers = await Promise.all(
      ['1', '2'].map((id) => startApplication('sqlite-writer.mjs', at.live('a.db'), at.live('b.db'), id)),
    );
    const child = sharedChild();
    const counters: number[] = [];
    const elapsed: number[] = [];
    for (let run = 0; run < rounds(4, 10); run++) {
      const databases = ['a.db', 'b.db'].map((name) => ({
        name,
        path: at.live(name),
        destination: at.copy(`${run}-${name}`),
      }));
      const begun = performance.now();
      const result = await child.snapshot({ databases, maxPause: 4000, group: run });
      elapsed.push(performance.now() - begun);
      for (const database of result.databases) {
        const copied = expectKind('copied', database);
        expect(copied).toMatchObject({ integrity: 'ok', snapshotGroup: run, journalMode: mode, notes: [] });
      }
      const [a, b] = databases.map(({ destination }) => counter(destination));
      expect(a).toEqual(b);
      expect(a!.n).toBe(a!.rows);
      counters.push(a!.n);
    }
    const reports = await Promise.all(writers.map(stopWriter));
    expect(reports.flatMap(({ errors }) => errors)).toEqual([]);
    const commits = reports.reduce((sum, report) => sum + report.commits, 0);
    // The writers went on all the while.
    expect(counters.at(-1)! - counters[0]!).toBeGreaterThan(10);
    expect(commits).toBeGreaterThan(counters.at(-1)!);
    if (process.env['BKP_MEASURE'] !== undefined)
      process.stderr.write(`${mode}: ${commits} commits; ms ${elapsed.map(Math.round).join(' ')}\n`);
  });
});

describe('locks', () => {
  const locked = 'PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE';

  it('that another program keeps refuse the backup by name, with size and mends', async () => {
    const at = await place();
    for (const name of ['free.db', 'kept.db']) makeDatabase(at.live(name), tables);
    await startApplication('sqlite-writer-holding.mjs', at.live('kept.db'), locked);
    const child = sharedChild();
    const attempt = child.snapshot({ ...snapshotOf(at, 'free.db', 'kept.db'), lockDeadline: 300 });
    await expect(attempt).rejects.toMatchObject({
      id: 'needs-wal-or-quiesce',
      exitCode: 15,
      path: at.live('kept.db'),
      message: matching(/kept\.db \([\d.]+ (?:B|KiB), .*within 0\.3 s/),
      hint: matching(/^(?!.*maxPause).*stop the application for the time of the backup/),
    });
    // Nothing is left held on the other one: it can be written to at once.
    makeDatabase(at.live('free.db'), 'PRAGMA busy_timeout = 0', 'BEGIN EXCLUSIVE; UPDATE counter SET n = 1; COMMIT');
  });

  it('of an application that opens its WAL exclusively refuse as well', async () => {
    const at = await place();
    makeDatabase(at.live('kept.db'), 'PRAGMA journal_mode = WAL', tables);
    const statement = 'PRAGMA locking_mode = EXCLUSIVE; UPDATE counter SET n = 2';
    await startApplication('sqlite-writer-holding.mjs', at.live('kept.db'), statement);
    await expect(sharedChild().snapshot({ ...snapshotOf(at, 'kept.db'), lockDeadline: 200 })).rejects.toMatchObject({
      id: 'needs-wal-or-quiesce',
    });
  });

  it('are had as soon as the other program lets go', async () => {
    const at = await place();
    makeDatabase(at.live('kept.db'), tables);
    const holder = await startApplication('sqlite-writer-holding.mjs', at.live('kept.db'), locked);
    setTimeout(() => holder.kill('SIGKILL'), 300);
    const { databases } = await sharedChild().snapshot(snapshotOf(at, 'kept.db'));
    expectKind('copied', databases[0]);
  });

  it('are taken once where two names lead to one database', async () => {
    const at = await place();
    makeDatabase(at.live('a.db'), tables);
    const databases = ['one', 'two'].map((name) => ({ name, path: at.live('a.db'), destination: at.copy(name) }));
    const result = await sharedChild().snapshot({ databases, maxPause: 4000, group: 5, lockDeadline: 300 });
    expect(result.databases.map((database) => expectKind('copied', database).snapshotGroup)).toEqual([5, 5]);
  });
});

describe('the pause of rollback-journal databases', () => {
  const large = `${tables}; INSERT INTO log WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i LIMIT 64) SELECT 'x', zeroblob(131072) FROM i`;

  it('is refused above maxPause with database, size and estimate, goes with none, and is nothing in WAL', async () => {
    const at = await place();
    makeDatabase(at.live('small.db'), tables);
    makeDatabase(at.live('large.db'), large);
    const child = sharedChild();
    const request = snapshotOf(at, 'small.db', 'large.db');
    await expect(child.snapshot({ ...request, maxPause: 50 })).rejects.toMatchObject({
      id: 'needs-wal-or-quiesce',
      exitCode: 15,
      path: at.live('large.db'),
      message: matching(
        /large\.db \(8\.\d MiB, rollback journal\) and 1 more .* 0\.1 s, longer than maxPause \(0\.1 s\)/,
      ),
      hint: matching(/WAL/),
    });
    const heard: number[] = [];
    const { databases } = await child.snapshot(
      { ...request, maxPause: 'none' },
      { onProgress: (bytes) => heard.push(bytes) },
    );
    const total = databases.reduce((sum, database) => sum + expectKind('copied', database).bytes, 0);
    expect(heard.reduce((sum, bytes) => sum + bytes, 0)).toBe(total);
    // More than one step, each of 8 MiB at most.
    expect(heard.length).toBeGreaterThan(2);
    expect(statSync(at.copy('large.db')).size).toBeGreaterThan(8 * 2 ** 20);

    makeDatabase(at.live('large.db'), 'PRAGMA journal_mode = WAL');
    const again = { ...request, databases: [{ name: 'w', path: at.live('large.db'), destination: at.copy('w') }] };
    const wal = await child.snapshot({ ...again, maxPause: 50 });
    expect(expectKind('copied', wal.databases[0]).journalMode).toBe('wal');
  });
});
