import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DatabaseRequest } from '../../src/sqlite/protocol.js';
import {
  childForTest,
  sharedChild,
  containing,
  crashAfter,
  expectKind,
  makeDatabase,
  place,
  readDatabase,
  snapshotOf,
  type Place,
} from './databases.js';
import { crashInTransaction, liveNames, lockRequest, traces } from './swaps.js';

const magic = Buffer.from('d9d505f920a163d7', 'hex');

const numbers = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
};

/** A hot journal that changes nothing, and makes SQLite delete the file it names. */
function forgeJournal(database: string, victim: string): void {
  const header = Buffer.alloc(512);
  Buffer.concat([magic, numbers(0, 1, statSync(database).size / 4096, 512, 4096)]).copy(header);
  writeFileSync(`${database}-journal`, Buffer.concat([header, superRecord(victim)]));
}

function superRecord(name: string): Buffer {
  const bytes = Buffer.from(name);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  return Buffer.concat([numbers(0x40000000 / 4096 + 1), bytes, numbers(bytes.length, sum), magic]);
}

function requestOf(
  at: Place,
  name: string,
  found: boolean,
): { databases: DatabaseRequest[]; maxPause: 4000; group: 1 } {
  return { databases: [{ name, path: at.live(name), destination: at.copy(name), found }], maxPause: 4000, group: 1 };
}

async function trap(at: Place): Promise<string> {
  const victim = `${at.root}/victim.txt`;
  writeFileSync(victim, 'precious');
  makeDatabase(at.live('x.db'), 'CREATE TABLE t (a)');
  forgeJournal(at.live('x.db'), victim);
  return Promise.resolve(victim);
}

/** Two databases in the middle of one transaction, with a super-journal, as after a crash. Returns its path. */
function crashTogether(at: Place): string {
  for (const name of ['main.db', 'other.db'])
    makeDatabase(at.live(name), 'CREATE TABLE t (a); INSERT INTO t VALUES (1)');
  for (const name of ['main.db', 'other.db']) crashInTransaction(at.live(name));
  const name = at.live('main.db-mjA1B2C3900');
  for (const database of ['main.db', 'other.db']) {
    writeFileSync(`${at.live(database)}-journal`, superRecord(name), { flag: 'a' });
  }
  writeFileSync(name, `${at.live('main.db')}-journal\0${at.live('other.db')}-journal\0`);
  return name;
}

/** The instant after the commit: the super-journal is gone, the journals are not yet. */
function commitTogether(at: Place, superJournal: string): void {
  rmSync(superJournal);
  for (const name of ['main.db', 'other.db']) {
    const journal = readFileSync(at.live(`${name}-journal`));
    for (const suffix of ['', '-journal']) rmSync(at.live(`${name}${suffix}`));
    makeDatabase(at.live(name), 'CREATE TABLE t (a); INSERT INTO t VALUES (2)');
    writeFileSync(at.live(`${name}-journal`), journal);
  }
}

describe('a journal that names a file to be deleted', () => {
  it('does so where SQLite sees it, which is what all the others here keep from it', async () => {
    const at = await place();
    const victim = await trap(at);
    const script = `new (require('better-sqlite3'))(process.argv[1]).prepare('SELECT count(*) FROM t').get()`;
    execFileSync(process.execPath, ['-e', script, at.live('x.db')]);
    expect(existsSync(victim)).toBe(false);
  });

  it.each([true, false])(
    'is never seen by SQLite in a snapshot: its database is kept raw (found: %s)',
    async (found) => {
      const at = await place();
      const victim = await trap(at);
      const before = traces(at.live('.'));
      const { databases } = await sharedChild().snapshot(requestOf(at, 'x.db', found));
      const raw = expectKind('raw', databases[0]);
      expect(raw.reason).toContain('names a super-journal that is not of this database');
      expect(raw.files.map(({ suffix }) => suffix)).toEqual(['', '-journal']);
      expect(readFileSync(victim, 'utf8')).toBe('precious');
      expect(traces(at.live('.'))).toEqual(before);
    },
  );

  it('is neither played back when its database is locked for a restore', async () => {
    const at = await place();
    const victim = await trap(at);
    const before = traces(at.live('.'));
    const { databases } = await childForTest().lockDatabases(lockRequest(at.live('x.db')));
    expect(databases).toMatchObject([{ kind: 'broken', locked: false, reason: containing('super-journal') }]);
    expect(existsSync(victim)).toBe(true);
    expect(traces(at.live('.'))).toEqual(before);
  });

  it.each([
    ['in a folder below', 'live/sub/x.db-mjA1B2C3900'],
    ['reached by dots', 'live/sub/../x.db-mjA1B2C3900'],
    ['of a database that is not of the request', 'live/y.db-mjA1B2C3900'],
    ['with another ending', 'live/x.db-mjA1B2C3900.txt'],
    ['without the number', 'live/x.db-mj'],
    ['with a name cut short by a zero', 'live/victim\0/../x.db-mjA1B2C3900'],
  ])('is refused with one %s', async (_, name) => {
    const at = await place();
    makeDatabase(at.live('x.db'), 'CREATE TABLE t (a)');
    mkdirSync(at.live('sub'));
    forgeJournal(at.live('x.db'), `${at.root}/${name}`);
    const { databases } = await sharedChild().snapshot(requestOf(at, 'x.db', false));
    expectKind('raw', databases[0]);
  });

  it('is refused as well where it is a link, or a second name of another file', async () => {
    const at = await place();
    await trap(at);
    renameSync(at.live('x.db-journal'), at.live('elsewhere'));
    symlinkSync('elsewhere', at.live('x.db-journal'));
    const { databases } = await sharedChild().snapshot(requestOf(at, 'x.db', false));
    const raw = expectKind('raw', databases[0]);
    expect(raw.reason).toContain('not a regular file');
    // What a link leads to is not taken along under the name of a journal.
    expect(raw.files.map(({ suffix }) => suffix)).toEqual(['']);

    makeDatabase(at.live('y.db'), 'CREATE TABLE t (a)');
    linkSync(at.live('elsewhere'), at.live('y.db-journal'));
    const second = await sharedChild().snapshot(requestOf(at, 'y.db', false));
    expect(expectKind('raw', second.databases[0]).reason).toContain('second name');
  });
});

describe('a super-journal that SQLite itself left', () => {
  it('is played back where the databases lie when both are of the request', async () => {
    const at = await place();
    const name = crashTogether(at);
    const { databases } = await sharedChild().snapshot(snapshotOf(at, 'main.db', 'other.db'));
    for (const database of databases) expectKind('copied', database);
    for (const copy of ['main.db', 'other.db'])
      expect(readDatabase(at.copy(copy), 'SELECT a FROM t')).toEqual([{ a: 1 }]);
    expect(existsSync(name)).toBe(false);
  });

  it.each([
    ['rolls private copies back while it exists', true],
    ['tells that the transaction was committed where it does not', false],
  ])('%s, and nothing beside the originals is touched', async (_, exists) => {
    const at = await place();
    const name = crashTogether(at);
    if (!exists) commitTogether(at, name);
    const before = traces(at.live('.'));
    const request = snapshotOf(at, 'main.db', 'other.db');
    const found = request.databases.map((database) => ({ ...database, found: true }));
    const { databases } = await sharedChild().snapshot({ ...request, databases: found });
    expect(traces(at.live('.'))).toEqual(before);
    for (const [index, copy] of ['main.db', 'other.db'].entries()) {
      expectKind('copied', databases[index]);
      expect(readDatabase(at.copy(copy), 'SELECT a FROM t')).toEqual([{ a: exists ? 1 : 2 }]);
    }
  });

  it('is no reason to touch a crashed database that has none', async () => {
    const at = await place();
    makeDatabase(at.live('x.db'), 'CREATE TABLE t (a); INSERT INTO t VALUES (1)');
    crashAfter(
      at.live('x.db'),
      'PRAGMA cache_size = 1',
      'BEGIN',
      'UPDATE t SET a = zeroblob(500000)',
      'CREATE TABLE u (b)',
    );
    expect(liveNames(at)).toContain('x.db-journal');
    const before = traces(at.live('.'));
    const { databases } = await sharedChild().snapshot(requestOf(at, 'x.db', true));
    expectKind('copied', databases[0]);
    expect(readDatabase(at.copy('x.db'), 'SELECT a FROM t')).toEqual([{ a: 1 }]);
    expect(traces(at.live('.'))).toEqual(before);
  });
});
