import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  sharedChild,
  containing,
  crashAfter,
  expectKind,
  makeDatabase,
  overwritePage,
  place,
  readDatabase,
  sha256,
  snapshotOf,
  startApplication,
  storedSchema,
  sums,
} from './databases.js';

const some = "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'one'), (2, 'two')";
const many =
  'CREATE TABLE m (a, b); INSERT INTO m WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000) SELECT i, hex(i) FROM n';

describe('a snapshot', () => {
  it.each([512, 1024, 4096, 16_384, 65_536])(
    'keeps pages of %i bytes and says what the database is',
    async (pageSize) => {
      const at = await place();
      makeDatabase(
        at.live('x.db'),
        `PRAGMA page_size = ${pageSize}; PRAGMA user_version = 7; PRAGMA application_id = 99; ${some}; ${many}`,
      );
      const before = sums(at.live('.'));
      const { databases } = await sharedChild().snapshot(snapshotOf(at, 'x.db'));
      const copied = expectKind('copied', databases[0]);
      expect(copied).toMatchObject({
        name: 'x.db',
        pageSize,
        userVersion: 7,
        applicationId: 99,
        journalMode: 'delete',
      });
      expect(copied).toMatchObject({ integrity: 'ok', snapshotGroup: 1, notes: [] });
      expect(copied.bytes).toBe(pageSize * copied.pageCount);
      expect(copied.bytes).toBe(statSync(at.copy('x.db')).size);
      expect(copied.startedAt).toBeLessThanOrEqual(copied.finishedAt);
      expect(readDatabase(at.copy('x.db'), 'SELECT * FROM m')).toHaveLength(3000);
      expect(sums(at.live('.'))).toEqual(before);
    },
  );

  it('leaves the source as it is, byte for byte, in both journal modes, and nothing but the copy', async () => {
    const at = await place();
    for (const mode of ['wal', 'delete']) makeDatabase(at.live(`${mode}.db`), `PRAGMA journal_mode = ${mode}; ${some}`);
    const before = sums(at.live('.'));
    const { databases } = await sharedChild().snapshot(snapshotOf(at, 'wal.db', 'delete.db'));
    expect(databases.map((database) => expectKind('copied', database).journalMode)).toEqual(['wal', 'delete']);
    expect(sums(at.live('.'))).toEqual(before);
    expect(readdirSync(at.copy('.')).sort()).toEqual(['delete.db', 'wal.db']);
    expect(statSync(at.copy('wal.db')).mode & 0o777).toBe(0o600);
  });

  it('holds what lies in the WAL of a running application, and leaves that running', async () => {
    const at = await place();
    makeDatabase(at.live('x.db'), `PRAGMA journal_mode = WAL; ${some}`);
    chmodSync(at.live('x.db'), 0o664);
    const insert = "INSERT INTO t VALUES (3, 'in the WAL')";
    await startApplication('sqlite-writer-holding.mjs', at.live('x.db'), insert);
    const before = sums(at.live('.'));
    const { databases } = await sharedChild().snapshot(snapshotOf(at, 'x.db'));
    expectKind('copied', databases[0]);
    expect(readDatabase(at.copy('x.db'), 'SELECT a FROM t')).toHaveLength(3);
    const after = sums(at.live('.'));
    for (const suffix of ['', '-wal']) expect(after[`x.db${suffix}`]).toBe(before[`x.db${suffix}`]);
    expect(Object.keys(after)).toEqual(Object.keys(before));
  });

  it('rolls back what a crashed application left half done, as every reader does', async () => {
    const at = await place();
    makeDatabase(at.live('x.db'), some);
    crashAfter(at.live('x.db'), 'PRAGMA cache_size = 1', 'BEGIN', many, 'UPDATE t SET b = zeroblob(100000)');
    expect(readdirSync(at.live('.'))).toContain('x.db-journal');
    const { databases } = await sharedChild().snapshot(snapshotOf(at, 'x.db'));
    expectKind('copied', databases[0]);
    expect(readDatabase(at.copy('x.db'), 'SELECT b FROM t')).toEqual([{ b: 'one' }, { b: 'two' }]);
  });

  it('takes an empty file as the empty database it is', async () => {
    const at = await place();
    writeFileSync(at.live('empty.db'), '');
    makeDatabase(at.live('x.db'), some);
    const { databases } = await sharedChild().snapshot(snapshotOf(at, 'empty.db', 'x.db'));
    expect(expectKind('copied', databases[0])).toMatchObject({ pageCount: 0, bytes: 0, integrity: 'ok', notes: [] });
    expectKind('copied', databases[1]);
    expect(statSync(at.copy('empty.db')).size).toBe(0);
    expect(statSync(at.live('empty.db')).size).toBe(0);
  });

  it('gives equal schemas equal hashes, whatever the rows and page numbers', async () => {
    const at = await place();
    makeDatabase(at.live('a.db'), 'CREATE TABLE a (x); CREATE TABLE b (y)');
    makeDatabase(at.live('b.db'), 'CREATE TABLE b (y); CREATE TABLE a (x); INSERT INTO a VALUES (1)');
    makeDatabase(at.live('c.db'), 'CREATE TABLE a (x); CREATE TABLE b (z)');
    const { databases } = await sharedChild().snapshot(snapshotOf(at, 'a.db', 'b.db', 'c.db'));
    const [a, b, c] = databases.map((database) => expectKind('copied', database).schemaHash);
    expect(a).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(b).toBe(a);
    expect(c).not.toBe(a);
  });

  it('follows a symbolic link to a database, with the sidecars of what it points at', async () => {
    const at = await place();
    mkdirSync(at.live('real'));
    makeDatabase(at.live('real/x.db'), `PRAGMA journal_mode = WAL; ${some}`);
    await startApplication('sqlite-writer-holding.mjs', at.live('real/x.db'), "INSERT INTO t VALUES (3, 'new')");
    symlinkSync('real/x.db', at.live('link.db'));
    const { databases } = await sharedChild().snapshot(snapshotOf(at, 'link.db'));
    expectKind('copied', databases[0]);
    expect(readDatabase(at.copy('link.db'), 'SELECT * FROM t')).toHaveLength(3);
  });

  it('never overwrites what lies at a destination', async () => {
    const at = await place();
    makeDatabase(at.live('x.db'), some);
    writeFileSync(at.copy('x.db'), 'precious');
    await expect(sharedChild().snapshot(snapshotOf(at, 'x.db'))).rejects.toMatchObject({ id: 'io-failed' });
    expect(readFileSync(at.copy('x.db'), 'utf8')).toBe('precious');
  });

  it('notes what a copy cannot be checked for and which constraints it breaks', async () => {
    const at = await place();
    const other = storedSchema('i', 'CREATE INDEX i ON t (b COLLATE german)');
    makeDatabase(at.live('collation.db'), `${some}; CREATE INDEX i ON t (b)`, other);
    makeDatabase(
      at.live('null.db'),
      'CREATE TABLE t (a); INSERT INTO t VALUES (NULL)',
      storedSchema('t', 'CREATE TABLE t (a NOT NULL)'),
    );
    const { databases } = await sharedChild().snapshot(snapshotOf(at, 'collation.db', 'null.db'));
    expect(expectKind('copied', databases[0])).toMatchObject({
      integrity: 'unchecked',
      integrityReason: 'no such collation sequence: german',
      notes: [{ id: 'integrity-unchecked' }],
    });
    expect(expectKind('copied', databases[1])).toMatchObject({
      integrity: 'ok',
      notes: [{ id: 'database-constraint', message: 'NULL value in t.a' }],
    });
  });
});

describe('what cannot be copied as a database', () => {
  it('is kept raw, missing or unreadable by name, and the others go on', async () => {
    const at = await place();
    makeDatabase(at.live('good.db'), some);
    makeDatabase(at.live('page.db'), some, many, 'CREATE INDEX i ON m (a)');
    overwritePage(at.live('page.db'), 7);
    writeFileSync(at.live('noise.db'), Buffer.alloc(5000, 7));
    writeFileSync(at.live('noise.db-wal'), 'kept too');
    writeFileSync(at.live('noise.db-journal'), 'and this');
    makeDatabase(at.live('schema.db'), some, storedSchema('t', 'CREATE TBLE t (a)'));
    mkdirSync(at.live('folder.db'));
    symlinkSync('nowhere', at.live('dangling.db'));
    const before = sums2(at.live('.'), ['page.db', 'noise.db', 'noise.db-wal', 'noise.db-journal', 'schema.db']);
    const names = ['page.db', 'noise.db', 'schema.db', 'none.db', 'folder.db', 'dangling.db', 'good.db'];
    const { databases } = await sharedChild().snapshot(snapshotOf(at, ...names));
    expect(databases.map(({ kind, name }) => [name, kind])).toEqual([
      ['page.db', 'raw'],
      ['noise.db', 'raw'],
      ['schema.db', 'raw'],
      ['none.db', 'missing'],
      ['folder.db', 'unreadable'],
      ['dangling.db', 'missing'],
      ['good.db', 'copied'],
    ]);
    expect(expectKind('raw', databases[0]).reason).toContain('malformed');
    expect(expectKind('raw', databases[1])).toMatchObject({
      reason: containing('does not begin as a SQLite database'),
      files: ['', '-wal', '-journal'].map((suffix) => ({ suffix, path: `${at.copy('noise.db')}${suffix}` })),
    });
    expect(expectKind('unreadable', databases[4]).reason).toContain('is a directory');
    // Raw means raw, and looking at noise has not touched it.
    for (const [name, sum] of Object.entries(before)) {
      expect(sha256(at.copy(name)), name).toBe(sum);
      expect(sha256(at.live(name)), name).toBe(sum);
    }
  });
});

function sums2(folder: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, sha256(join(folder, name))]));
}
