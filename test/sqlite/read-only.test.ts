import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { entryPoint } from '../../src/base/entry-point.js';
import type { SnapshotRequest, SnapshotResult } from '../../src/sqlite/protocol.js';
import {
  sharedChild,
  crashAfter,
  expectKind,
  makeDatabase,
  place,
  readDatabase,
  snapshotOf,
  startApplication,
  sums,
  type Place,
} from './databases.js';

const some = 'CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)';
const third = 'INSERT INTO t VALUES (3)';

/** One of each kind of leftover, and one of a running application. */
async function fillLive(at: Place): Promise<readonly string[]> {
  makeDatabase(at.live('rollback.db'), some, third);
  for (const name of ['clean', 'leftover', 'no-index', 'running']) {
    makeDatabase(at.live(`${name}.db`), `PRAGMA journal_mode = WAL; ${some}`);
  }
  makeDatabase(at.live('clean.db'), third);
  for (const name of ['leftover', 'no-index']) crashAfter(at.live(`${name}.db`), third);
  rmSync(at.live('no-index.db-shm'));
  makeDatabase(at.live('hot.db'), some, third);
  crashAfter(
    at.live('hot.db'),
    'PRAGMA cache_size = 1',
    'BEGIN',
    'UPDATE t SET a = zeroblob(500000)',
    'CREATE TABLE u (b)',
  );
  await startApplication('sqlite-writer-holding.mjs', at.live('running.db'), third);
  for (const left of ['hot.db-journal', 'leftover.db-wal', 'leftover.db-shm', 'no-index.db-wal']) {
    expect(readdirSync(at.live('.'))).toContain(left);
  }
  return readdirSync(at.live('.')).filter((name) => name.endsWith('.db'));
}

function expectAllCopied(result: SnapshotResult, at: Place, names: readonly string[]): void {
  expect(names).toHaveLength(6);
  // Before the copies are read: a reader of a WAL copy makes sidecars of its own.
  expect(readdirSync(at.copy('.')).sort()).toEqual([...names].sort());
  const groups = result.databases.map((database, index) => {
    const copied = expectKind('copied', database);
    expect(copied).toMatchObject({ name: names[index], integrity: 'ok', notes: [{ id: 'not-one-instant' }] });
    expect(readDatabase(at.copy(copied.name), 'SELECT a FROM t'), copied.name).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }]);
    return copied.snapshotGroup;
  });
  // Each has an instant, and so a group, of its own.
  expect(new Set(groups).size).toBe(names.length);
}

/** Asks for a snapshot as a user without any rights. */
async function snapshotAsNobody(at: Place, request: SnapshotRequest): Promise<SnapshotResult> {
  const script = `
    import { openSqliteChild } from ${JSON.stringify(pathToFileURL(entryPoint('sqlite/client.js')).href)};
    const child = openSqliteChild();
    console.log(JSON.stringify(await child.snapshot(${JSON.stringify(request)})));
    await child.close();`;
  chownSync(at.copy('.'), 65534, 65534);
  const nobody = [
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    process.execPath,
    '--input-type=module',
    '-e',
    script,
  ];
  const running = spawn('setpriv', nobody, { stdio: ['ignore', 'pipe', 'inherit'], cwd: '/' });
  let text = '';
  running.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  await once(running, 'close');
  return JSON.parse(text) as SnapshotResult;
}

const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)('without permission to write (needs root to become nobody)', () => {
  it('each database is copied at an instant of its own, with whatever its sidecars hold, and none is touched', async () => {
    const at = await place();
    const names = await fillLive(at);
    chmodSync(at.live('.'), 0o755);
    const before = sums(at.live('.'));
    const result = await snapshotAsNobody(at, snapshotOf(at, ...names));
    expectAllCopied(result, at, names);
    // The index of a WAL is shared memory: readers mark their place in it.
    expect(withoutIndexes(sums(at.live('.')))).toEqual(withoutIndexes(before));
  });

  it('a single database needs no note', async () => {
    const at = await place();
    makeDatabase(at.live('x.db'), some);
    const { databases } = await snapshotAsNobody(at, snapshotOf(at, 'x.db'));
    expect(expectKind('copied', databases[0]).notes).toEqual([]);
  });

  it('a file that may not be read is unreadable, and the others go on', async () => {
    const at = await place();
    makeDatabase(at.live('secret.db'), some);
    makeDatabase(at.live('x.db'), some);
    chmodSync(at.live('secret.db'), 0o600);
    const { databases } = await snapshotAsNobody(at, snapshotOf(at, 'secret.db', 'x.db'));
    expect(expectKind('unreadable', databases[0]).reason).toContain('EACCES');
    expectKind('copied', databases[1]);
  });

  it('those that can be locked keep their common instant', async () => {
    const at = await place();
    for (const name of ['a.db', 'b.db', 'fixed.db']) makeDatabase(at.live(name), some);
    for (const name of ['a.db', 'b.db']) chmodSync(at.live(name), 0o666);
    const { databases } = await snapshotAsNobody(at, snapshotOf(at, 'fixed.db', 'a.db', 'b.db'));
    const copied = databases.map((database) => expectKind('copied', database));
    expect(copied.map(({ snapshotGroup }) => snapshotGroup)).toEqual([2, 1, 1]);
    expect(copied.map(({ notes }) => notes.map(({ id }) => id))).toEqual([['not-one-instant'], [], []]);
  });
});

describe('on a file system mounted for reading alone', () => {
  it('all are copied, each at an instant of its own', async ({ skip }) => {
    const at = await place();
    const names = await fillLive(at);
    const mounted = `${at.root}/mounted`;
    mkdirSync(mounted);
    try {
      execFileSync('mount', ['--bind', at.live('.'), mounted], { stdio: 'pipe' });
      onTestFinished(() => {
        execFileSync('umount', ['-l', mounted]);
      });
      execFileSync('mount', ['-o', 'remount,ro,bind', mounted], { stdio: 'pipe' });
    } catch {
      skip('mounting is not permitted here');
    }
    expect(() => writeFileSync(`${mounted}/x`, '')).toThrow('EROFS');
    const before = withoutIndexes(sums(mounted));
    const databases = names.map((name) => ({ name, path: `${mounted}/${name}`, destination: at.copy(name) }));
    const result = await sharedChild().snapshot({ databases, maxPause: 4000, group: 1 });
    expectAllCopied(result, at, names);
    expect(withoutIndexes(sums(mounted))).toEqual(before);
  });
});

function withoutIndexes(all: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !name.endsWith('-shm')));
}
