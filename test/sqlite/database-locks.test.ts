import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { pathToFileURL } from 'node:url';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { entryPoint } from '../../src/base/entry-point.js';
import type { LockRequest, LockResult } from '../../src/sqlite/protocol.js';
import {
  childForTest,
  containing,
  crashAfter,
  expectKind,
  isAlive,
  makeDatabase,
  matching,
  overwritePage,
  place,
  readDatabase,
  snapshotOf,
  startApplication,
  storedSchema,
  type Place,
} from './databases.js';
import { askElsewhere, crashInTransaction, isLinux, liveNames, lockRequest, makeRows, modes, traces } from './swaps.js';

const another = 'INSERT INTO t VALUES (99)';

/** Databases that locking and letting go in the usual way would change: a leftover `-wal`, and a WAL without one. */
function fillOthers(at: Place): void {
  makeRows(at.live('leftover.db'), 'wal', 1);
  crashAfter(at.live('leftover.db'), another);
  makeRows(at.live('clean.db'), 'wal', 1);
  writeFileSync(at.live('empty.db'), '');
}

const others = ['leftover.db', 'clean.db', 'empty.db'];

function kinds({ databases }: LockResult): unknown[] {
  return databases.map(({ name, kind }) => [name, kind]);
}

describe('an application that has a database open', () => {
  it.skipIf(!isLinux).each([
    ['idle in WAL', 'wal', ['SELECT * FROM t']],
    ['writing in WAL', 'wal', ['BEGIN IMMEDIATE', another]],
    ['idle with a rollback journal, which no lock tells', 'delete', ['SELECT * FROM t']],
    ['writing with a rollback journal', 'delete', ['BEGIN IMMEDIATE', another]],
    ['holding it exclusively', 'delete', ['BEGIN EXCLUSIVE', another]],
  ] as const)('%s refuses the lock by database, process and command, and nothing is touched', async (_, mode, sql) => {
    const at = await place();
    fillOthers(at);
    makeRows(at.live('used.db'), mode, 3);
    const application = await startApplication('sqlite-writer-holding.mjs', at.live('used.db'), ...sql);
    const before = traces(at.live('.'));
    const child = childForTest();
    const paths = [...others, 'used.db'].map((name) => at.live(name));
    await expect(child.lockDatabases(lockRequest(...paths))).rejects.toMatchObject({
      id: 'database-in-use',
      exitCode: 15,
      path: at.live('used.db'),
      message: matching(
        new RegExp(`used\\.db by process ${application.pid} \\(.*node.* .*sqlite-writer-holding\\.mjs\\)`),
      ),
      hint: containing('beforeRestore'),
    });
    expect(traces(at.live('.'))).toEqual(before);
    expect(isAlive(child.pid!)).toBe(false);
    await expect(child.check(at.live('clean.db'))).rejects.toMatchObject({ id: 'sqlite-child-failed' });

    application.kill('SIGKILL');
    await once(application, 'exit');
    const result = await childForTest().lockDatabases(lockRequest(...paths));
    expect(kinds(result)).toEqual([...others, 'used.db'].map((name) => [name, 'locked']));
  });

  it.each([
    ['idle in WAL', 'wal', 'SELECT * FROM t'],
    ['writing in WAL', 'wal', `BEGIN IMMEDIATE; ${another}`],
    ['reading with a rollback journal', 'delete', 'BEGIN; SELECT * FROM t'],
    ['writing with a rollback journal', 'delete', `BEGIN IMMEDIATE; ${another}`],
  ] as const)('%s in a process that cannot be seen refuses it by its locks, untouched too', async (_, mode, sql) => {
    const at = await place();
    fillOthers(at);
    makeRows(at.live('used.db'), mode, 3);
    // The parent of the child is not looked at: this process stands for one that /proc does not show.
    const db = new Database(at.live('used.db'));
    onTestFinished(() => void db.close());
    db.exec(sql);
    if (sql.startsWith('BEGIN; ')) db.prepare('SELECT * FROM t').all();
    const before = traces(at.live('.'));
    const request = lockRequest(...[...others, 'used.db'].map((name) => at.live(name)));
    await expect(childForTest().lockDatabases(request)).rejects.toMatchObject({
      id: 'database-in-use',
      path: at.live('used.db'),
    });
    expect(traces(at.live('.'))).toEqual(before);
    if (db.inTransaction) db.exec('COMMIT');
  });

  it.skipIf(!isLinux)('is found by its -wal or -shm alone, and by a hard link', async () => {
    const at = await place();
    makeRows(at.live('a.db'), 'wal', 1);
    crashAfter(at.live('a.db'), another);
    makeRows(at.live('b.db'), 'delete', 1);
    linkSync(at.live('b.db'), at.copy('other-name.db'));
    await startApplication('sqlite-writer-holding.mjs', at.copy('other-name.db'), 'SELECT 1 FROM t');
    await expect(childForTest().lockDatabases(lockRequest(at.live('b.db')))).rejects.toMatchObject({
      id: 'database-in-use',
      path: at.live('b.db'),
    });
    makeRows(at.copy('c.db'), 'wal', 1);
    await startApplication('sqlite-writer-holding.mjs', at.copy('c.db'), another);
    rmSync(at.live('a.db-shm'));
    linkSync(at.copy('c.db-shm'), at.live('a.db-shm'));
    await expect(childForTest().lockDatabases(lockRequest(at.live('a.db')))).rejects.toMatchObject({
      id: 'database-in-use',
      path: at.live('a.db'),
    });
  });
});

describe('locked databases', () => {
  it.each(modes)('keep out readers and writers until they are released, in mode %s', async (mode) => {
    const at = await place();
    makeRows(at.live('x.db'), mode, 2);
    const before = traces(at.live('.'));
    const child = childForTest();
    const result = await child.lockDatabases(lockRequest(at.live('x.db')));
    expect(result.databases).toEqual([{ kind: 'locked', name: 'x.db', sidecars: [] }]);
    expect(isLinux ? ['all', 'some'] : ['none']).toContain(result.processes);
    expect(traces(at.live('.'))).toEqual(before);
    expect(askElsewhere(at.live('x.db'))).toBe('SQLITE_BUSY');
    expect(askElsewhere(at.live('x.db'), another)).toBe('SQLITE_BUSY');
    expect(await child.releaseLocks()).toEqual({ stillOpen: [] });
    expect(traces(at.live('.'))).toEqual(before);
    expect(askElsewhere(at.live('x.db'), another)).toBe(3);
    expect(await child.releaseLocks()).toEqual({ stillOpen: [] });
  });

  it('hold what a killed application left in its -wal, and so do their copies', async () => {
    const at = await place();
    makeRows(at.live('x.db'), 'wal', 2);
    makeRows(at.live('y.db'), 'delete', 2);
    crashAfter(at.live('x.db'), another);
    expect(liveNames(at)).toEqual(['x.db', 'x.db-shm', 'x.db-wal', 'y.db']);
    const child = childForTest();
    await child.lockDatabases(lockRequest(at.live('x.db'), at.live('y.db')));
    expect(liveNames(at)).toEqual(['x.db', 'y.db']);
    const heard: number[] = [];
    const { group, databases } = snapshotOf(at, 'x.db', 'y.db', 'none.db');
    const result = await child.snapshotLocked({ group, databases }, { onProgress: (bytes) => heard.push(bytes) });
    const copied = result.databases.slice(0, 2).map((database) => expectKind('copied', database));
    expect(copied.map(({ journalMode }) => journalMode)).toEqual(['wal', 'delete']);
    for (const one of copied) expect(one).toMatchObject({ integrity: 'ok', snapshotGroup: 1, notes: [] });
    expect(copied[0]!.startedAt).toBe(copied[1]!.startedAt);
    expect(expectKind('missing', result.databases[2]).reason).toContain('none.db');
    expect(heard.reduce((sum, bytes) => sum + bytes, 0)).toBe(copied[0]!.bytes + copied[1]!.bytes);
    expect(readDatabase(at.copy('x.db'), 'SELECT a FROM t')).toHaveLength(3);
    expect(askElsewhere(at.live('x.db'))).toBe('SQLITE_BUSY');
    expect(askElsewhere(at.live('y.db'))).toBe('SQLITE_BUSY');
    await child.releaseLocks();
    expect(askElsewhere(at.live('x.db'))).toBe(3);
  });

  it('have what was left half done rolled back, and no journal beside them, not even one that is kept for later', async () => {
    const at = await place();
    makeRows(at.live('x.db'), 'delete', 2);
    crashInTransaction(at.live('x.db'));
    makeRows(at.live('kept.db'), 'delete', 2);
    makeDatabase(at.live('kept.db'), 'PRAGMA journal_mode = PERSIST', another);
    expect(liveNames(at)).toEqual(['kept.db', 'kept.db-journal', 'x.db', 'x.db-journal']);
    const child = childForTest();
    const result = await child.lockDatabases(lockRequest(at.live('x.db'), at.live('kept.db')));
    expect(kinds(result)).toEqual([
      ['x.db', 'locked'],
      ['kept.db', 'locked'],
    ]);
    expect(liveNames(at)).toEqual(['kept.db', 'x.db']);
    const { group, databases } = snapshotOf(at, 'x.db');
    expectKind('copied', (await child.snapshotLocked({ group, databases })).databases[0]);
    expect(readDatabase(at.copy('x.db'), 'SELECT a FROM t')).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it('are locked once where several paths lead to one file, by the one whose -wal holds something', async () => {
    const at = await place();
    makeRows(at.live('x.db'), 'wal', 2);
    crashAfter(at.live('x.db'), another);
    linkSync(at.live('x.db'), at.live('aside.db'));
    symlinkSync('x.db', at.live('link.db'));
    const child = childForTest();
    const request = lockRequest(at.live('aside.db'), at.live('link.db'), at.live('x.db'));
    const result = await child.lockDatabases(request);
    expect(result.databases.map(({ kind, sidecars }) => [kind, sidecars])).toEqual(Array(3).fill(['locked', []]));
    expect(kinds(await child.lockDatabases(lockRequest(at.live('x.db'))))).toEqual([['x.db', 'locked']]);
    expect(liveNames(at)).toEqual(['aside.db', 'link.db', 'x.db']);
    const { group, databases } = snapshotOf(at, 'aside.db', 'link.db');
    for (const database of (await child.snapshotLocked({ group, databases })).databases) {
      expect(readDatabase(at.copy(expectKind('copied', database).name), 'SELECT a FROM t')).toHaveLength(3);
    }
    await child.releaseLocks();
    expect(askElsewhere(at.live('aside.db'))).toBe(3);
  });

  it('may be none', async () => {
    const child = childForTest();
    expect((await child.lockDatabases({ databases: [] })).databases).toEqual([]);
    expect(await child.snapshotLocked({ databases: [], group: 1 })).toEqual({ databases: [] });
    await child.finishSwap({ databases: [] });
    await child.releaseLocks();
  });
});

describe('live databases that are none', () => {
  it('are told as absent or broken, with the sidecars that hold something, and are kept raw', async () => {
    const at = await place();
    writeFileSync(at.live('noise.db'), Buffer.alloc(5000, 7));
    writeFileSync(at.live('noise.db-wal'), 'kept too');
    writeFileSync(at.live('absent.db-wal'), 'of a deleted database');
    makeRows(at.live('emptied.db'), 'wal', 2);
    crashAfter(at.live('emptied.db'), another);
    truncateSync(at.live('emptied.db'), 0);
    writeFileSync(at.live('empty.db'), '');
    mkdirSync(at.live('folder.db'));
    makeDatabase(at.live('schema.db'), 'CREATE TABLE t (a)', storedSchema('t', 'CREATE TBLE t (a)'));
    makeRows(at.live('cut.db'), 'wal', 5000);
    truncateSync(at.live('cut.db'), 9000);
    makeRows(at.live('page.db'), 'delete', 5000);
    overwritePage(at.live('page.db'), 5);
    makeRows(at.live('header.db'), 'delete', 5);
    const header = readFileSync(at.live('header.db')).fill(9, 16, 18);
    writeFileSync(at.live('header.db'), header);
    const before = filesOf(at);
    const names = ['noise', 'absent', 'emptied', 'empty', 'folder', 'schema', 'cut', 'page', 'header'].map(
      (n) => `${n}.db`,
    );
    const child = childForTest();
    const result = await child.lockDatabases(lockRequest(...names.map((name) => at.live(name))));
    expect(result.databases).toMatchObject([
      { kind: 'broken', locked: false, sidecars: [at.live('noise.db-wal')], reason: containing('does not begin') },
      { kind: 'absent', sidecars: [at.live('absent.db-wal')] },
      { kind: 'broken', locked: false, sidecars: [at.live('emptied.db-wal')], reason: containing('is empty, yet') },
      { kind: 'locked', sidecars: [] },
      { kind: 'broken', locked: false, reason: containing('is a directory') },
      { kind: 'broken', locked: true, reason: containing('malformed') },
      { kind: 'broken', locked: true, reason: containing('SQLITE_CORRUPT') },
      { kind: 'locked' },
      { kind: 'broken', locked: false, reason: containing('SQLITE_NOTADB') },
    ]);
    expect(filesOf(at)).toEqual(before);
    const { group, databases } = snapshotOf(at, ...names);
    const copies = await child.snapshotLocked({ group, databases });
    expect(copies.databases.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'noise.db raw',
      'absent.db missing',
      'emptied.db raw',
      'empty.db copied',
      'folder.db unreadable',
      'schema.db raw',
      'cut.db raw',
      'page.db raw',
      'header.db raw',
    ]);
    expect(filesOf(at)).toEqual(before);
    for (const name of Object.keys(before).filter((one) => !/-shm$|absent|empty\.db/.test(one))) {
      expect(traces(at.copy('.'))[name]!.slice(-64), name).toBe(before[name]!.slice(-64));
    }
    // Copying the bytes of a locked one has not dropped its lock.
    for (const name of ['schema.db', 'page.db', 'cut.db']) expect(askElsewhere(at.live(name))).toBe('SQLITE_BUSY');
    await child.releaseLocks();
    expect(filesOf(at)).toEqual(before);
  });

  it.skipIf(!isLinux)('refuse the lock all the same where another program has them open', async () => {
    const at = await place();
    writeFileSync(at.live('noise.db'), Buffer.alloc(5000, 7));
    await startApplication('sqlite-writer-holding.mjs', at.live('noise.db'));
    await expect(childForTest().lockDatabases(lockRequest(at.live('noise.db')))).rejects.toMatchObject({
      id: 'database-in-use',
    });
  });

  it('refuse the copy where one is made after the locks were taken', async () => {
    const at = await place();
    const child = childForTest();
    await child.lockDatabases(lockRequest(at.live('x.db')));
    makeRows(at.live('x.db'), 'delete', 1);
    const { group, databases } = snapshotOf(at, 'x.db');
    await expect(child.snapshotLocked({ group, databases })).rejects.toMatchObject({ id: 'database-in-use' });
  });
});

const isRoot = process.getuid?.() === 0;

/** What a user without any rights gets, as JSON: a result, or the id and path of an error. */
function lockAsNobody(request: LockRequest): unknown {
  const script = `
    import { openSqliteChild } from ${JSON.stringify(pathToFileURL(entryPoint('sqlite/client.js')).href)};
    const child = openSqliteChild();
    const answer = child.lockDatabases(${JSON.stringify(request)});
    console.log(JSON.stringify(await answer.catch(({ id, path }) => ({ id, path }))));
    await child.close();`;
  const ids = ['--reuid=65534', '--regid=65534', '--clear-groups'];
  const nobody = [...ids, process.execPath, '--input-type=module', '-e', script];
  return JSON.parse(execFileSync('setpriv', nobody, { encoding: 'utf8', cwd: '/' }));
}

describe.skipIf(!isRoot)('without root (needs root to become nobody)', () => {
  it.each(modes)('a database that may not be written cannot be locked, which is said, in mode %s', async (mode) => {
    const at = await place();
    makeRows(at.live('x.db'), mode, 1);
    const before = traces(at.live('.'));
    expect(lockAsNobody(lockRequest(at.live('x.db')))).toEqual({ id: 'target-unwritable', path: at.live('x.db') });
    chmodSync(at.live('x.db'), 0);
    expect(lockAsNobody(lockRequest(at.live('x.db')))).toEqual({ id: 'target-unwritable', path: at.live('x.db') });
    expect(traces(at.live('.'))).toEqual(before);
  });

  it('one that may be written is locked, and that not all processes could be seen is told', async () => {
    const at = await place();
    chmodSync(at.live('.'), 0o777);
    chmodSync(makeRows(at.live('x.db'), 'wal', 1), 0o666);
    const databases = [{ kind: 'locked', name: 'x.db', sidecars: [] }];
    expect(lockAsNobody(lockRequest(at.live('x.db')))).toEqual({ databases, processes: 'some' });
  });
});

/** Of files, without the folder among them. */
function filesOf(at: Place): Record<string, string> {
  rmSync(at.live('folder.db'), { recursive: true });
  const found = traces(at.live('.'));
  mkdirSync(at.live('folder.db'));
  return found;
}
