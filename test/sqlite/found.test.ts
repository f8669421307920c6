import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  openSync,
  readdirSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { entryPoint } from '../../src/base/entry-point.js';
import type { SnapshotRequest, SnapshotResult } from '../../src/sqlite/protocol.js';
import {
  sharedChild,
  containing,
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
import { isLinux, traces } from './swaps.js';

const some = 'CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)';
const third = 'INSERT INTO t VALUES (3)';
const isRoot = process.getuid?.() === 0;

/** A request in which all but the named ones were found in a folder. */
function foundOf(at: Place, names: readonly string[], named: readonly string[] = []): SnapshotRequest {
  const request = snapshotOf(at, ...names);
  return {
    ...request,
    databases: request.databases.map((database) => ({ ...database, found: !named.includes(database.name) })),
  };
}

/** Makes a database one of so many pages by its header, with a hole in place of the new ones. */
function declarePages(path: string, pages: number): void {
  const file = openSync(path, 'r+');
  const count = Buffer.alloc(4);
  count.writeUInt32BE(pages);
  writeSync(file, count, 0, 4, 28);
  closeSync(file);
  truncateSync(path, pages * 4096);
}

function leftover(at: Place, name: string): void {
  makeDatabase(at.live(name), `PRAGMA journal_mode = WAL; ${some}`);
  crashAfter(at.live(name), third);
  expect(readdirSync(at.live('.'))).toContain(`${name}-wal`);
}

describe.skipIf(!isLinux || !isRoot)('a database found in a folder (needs root to see all processes)', () => {
  it('that nobody has open is copied with what its -wal holds, and nothing in the folder is touched', async () => {
    const at = await place();
    leftover(at, 'w.db');
    makeDatabase(at.live('named.db'), some);
    const before = traces(at.live('.'));
    const { databases } = await sharedChild().snapshot(foundOf(at, ['named.db', 'w.db'], ['named.db']));
    expect(expectKind('copied', databases[1])).toMatchObject({ journalMode: 'wal', integrity: 'ok', notes: [] });
    expect(traces(at.live('.'))).toEqual(before);
    expect(readdirSync(at.copy('.')).sort()).toEqual(['named.db', 'w.db']);
    expect(readDatabase(at.copy('w.db'), 'SELECT a FROM t')).toHaveLength(3);
  });

  it('is brought up to date where it lies when a person has named it', async () => {
    const at = await place();
    leftover(at, 'w.db');
    const { databases } = await sharedChild().snapshot(snapshotOf(at, 'w.db'));
    expectKind('copied', databases[0]);
    expect(readdirSync(at.live('.'))).toEqual(['w.db']);
  });

  it('that an application has open shows the instant of the named ones', async () => {
    const at = await place();
    makeDatabase(at.live('used.db'), `PRAGMA journal_mode = WAL; ${some}`);
    makeDatabase(at.live('named.db'), some);
    await startApplication('sqlite-writer-holding.mjs', at.live('used.db'), third);
    const { databases } = await sharedChild().snapshot(foundOf(at, ['named.db', 'used.db'], ['named.db']));
    expect(databases.map((database) => expectKind('copied', database).snapshotGroup)).toEqual([1, 1]);
    expect(readDatabase(at.copy('used.db'), 'SELECT a FROM t')).toHaveLength(3);
  });

  it('that stays locked is copied for itself, and says so, while a named one would refuse the backup', async () => {
    const at = await place();
    for (const name of ['kept.db', 'named.db']) makeDatabase(at.live(name), some);
    await startApplication('sqlite-writer-holding.mjs', at.live('kept.db'), 'BEGIN EXCLUSIVE');
    const request = { ...foundOf(at, ['kept.db', 'named.db'], ['named.db']), lockDeadline: 400 };
    const { databases } = await sharedChild().snapshot(request);
    expect(expectKind('copied', databases[0])).toMatchObject({
      snapshotGroup: 2,
      notes: [{ id: 'not-one-instant', message: containing('stayed locked by another program') }],
    });
    expect(expectKind('copied', databases[1])).toMatchObject({ snapshotGroup: 1, notes: [] });
  });

  it('that is too large for maxPause refuses no backup, open or not', async () => {
    const at = await place();
    makeDatabase(at.live('named.db'), some);
    makeDatabase(at.live('sparse.db'), some);
    declarePages(at.live('sparse.db'), 20_000);
    makeDatabase(at.live('used.db'), some, 'CREATE TABLE ballast AS SELECT zeroblob(20000000) AS pad');
    writeFileSync(at.live('sparse.db-shm'), '');
    await startApplication('sqlite-writer-holding.mjs', at.live('used.db'), 'SELECT 1 FROM t');
    const before = traces(at.live('.'));
    const request = { ...foundOf(at, ['named.db', 'sparse.db', 'used.db'], ['named.db']), maxPause: 100 };
    const child = sharedChild();
    const { databases } = await child.snapshot(request);
    expectKind('copied', databases[0]);
    // All its pages but two are no part of anything, which is damage.
    expectKind('raw', databases[1]);
    expect(statSync(at.copy('sparse.db')).blocks * 512).toBeLessThan(10 * 2 ** 20);
    const used = expectKind('copied', databases[2]);
    expect(used.notes).toMatchObject([{ id: 'not-one-instant', message: containing('maxPause') }]);
    expect(traces(at.live('.'))).toEqual(before);
    const named = { ...request, databases: [{ name: 'n', path: at.live('used.db'), destination: at.copy('n') }] };
    await expect(child.snapshot(named)).rejects.toMatchObject({ id: 'needs-wal-or-quiesce' });
  });
});

describe.skipIf(!isLinux || !isRoot)('where processes cannot all be seen (needs root to become another user)', () => {
  it('one without an index is copied for itself, and one that has one joins the others', async () => {
    const at = await place();
    for (const name of ['named.db', 'plain.db']) makeDatabase(at.live(name), some);
    makeDatabase(at.live('used.db'), `PRAGMA journal_mode = WAL; ${some}`);
    await startApplication('sqlite-writer-holding.mjs', at.live('used.db'), third);
    chmodSync(at.live('.'), 0o777);
    for (const name of readdirSync(at.live('.'))) chmodSync(at.live(name), 0o666);
    const before = sums(at.live('.'));
    const request = foundOf(at, ['named.db', 'plain.db', 'used.db'], ['named.db']);
    const { databases } = await snapshotAsNobody(at, request);
    expect(databases.map((database) => expectKind('copied', database).snapshotGroup)).toEqual([1, 2, 1]);
    expect(expectKind('copied', databases[1]).notes).toMatchObject([
      { id: 'not-one-instant', message: containing('as far as processes can be seen') },
    ]);
    expect(Object.keys(sums(at.live('.')))).toEqual(Object.keys(before));
  });
});

async function snapshotAsNobody(at: Place, request: SnapshotRequest): Promise<SnapshotResult> {
  const script = `
    import { openSqliteChild } from ${JSON.stringify(pathToFileURL(entryPoint('sqlite/client.js')).href)};
    const child = openSqliteChild();
    console.log(JSON.stringify(await child.snapshot(${JSON.stringify(request)})));
    await child.close();`;
  chownSync(at.copy('.'), 65534, 65534);
  const user = ['--reuid=65534', '--regid=65534', '--clear-groups'];
  const running = spawn('setpriv', [...user, process.execPath, '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: '/',
  });
  let text = '';
  running.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  await once(running, 'close');
  return JSON.parse(text) as SnapshotResult;
}
