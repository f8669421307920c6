import { linkSync, readdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { childForTest, containing, crashAfter, makeDatabase, place, readDatabase, type Place } from './databases.js';
import {
  askElsewhere,
  crashInTransaction,
  isLinux,
  liveNames,
  lockRequest,
  makeRows,
  modes,
  startWaiting,
  swap,
  traces,
  type Mode,
} from './swaps.js';

const another = 'INSERT INTO t VALUES (99)';
const oldRows = 2;
const newRows = 5;

/** The live database and the staged one. */
function fill(at: Place, before: Mode, after: Mode): { live: string; staged: string } {
  return { live: makeRows(at.live('x.db'), before, oldRows), staged: makeRows(at.copy('x.db'), after, newRows) };
}

const swapped = (...paths: readonly string[]): { path: string; sidecars: 'none' }[] =>
  paths.map((path) => ({ path, sidecars: 'none' }));

/** What the next application finds, with all that it makes beside the database. */
function expectSound(path: string, rows: number): void {
  expect(readDatabase(path, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  expect(askElsewhere(path)).toBe(rows);
  expect(askElsewhere(path, another)).toBe(rows + 1);
}

const combinations = modes.flatMap((before) => modes.map((after) => ({ before, after })));

describe.each(combinations)('a database in mode $after moved over one in mode $before', ({ before, after }) => {
  it('is what the next application sees, with nothing stale beside it, and the old one is whole', async () => {
    const at = await place();
    const { live, staged } = fill(at, before, after);
    crashAfter(live, another);
    const child = childForTest();
    await child.lockDatabases(lockRequest(live));
    const stagedBefore = traces(at.copy('.'));
    await child.lockStaged(lockRequest(staged));
    // Not a byte, not a time, nothing beside it.
    expect(traces(at.copy('.'))).toEqual(stagedBefore);
    expect(askElsewhere(staged)).toBe('SQLITE_BUSY');
    swap(staged, live);
    expect(askElsewhere(live)).toBe('SQLITE_BUSY');
    await child.finishSwap({ databases: swapped(live) });
    expect(askElsewhere(live)).toBe('SQLITE_BUSY');
    expect(liveNames(at)).toEqual(['x.db', 'x.db.aside']);
    expect(await child.releaseLocks()).toEqual({ stillOpen: [] });
    expect(liveNames(at)).toEqual(['x.db', 'x.db.aside']);
    expect(readdirSync(at.copy('.'))).toEqual([]);
    expectSound(live, newRows);
    expectSound(`${live}.aside`, oldRows + 1);
  });

  it('is what clients see that came after the rename and waited, and what those write is in it', async () => {
    const at = await place();
    const { live, staged } = fill(at, before, after);
    const child = childForTest();
    await child.lockDatabases(lockRequest(live));
    await child.lockStaged(lockRequest(staged));
    swap(staged, live);
    const early = await startWaiting(live, 20_000, another);
    await child.finishSwap({ databases: swapped(live) });
    const late = await startWaiting(live, 20_000, another);
    await child.releaseLocks();
    expect([await early.answer, await late.answer].sort()).toEqual([newRows + 1, newRows + 2]);
    expectSound(live, newRows + 2);
    expectSound(`${live}.aside`, oldRows);
  });

  it.skipIf(!isLinux)(
    'does not come free before clients of the old one, which waited for that, have closed it',
    async () => {
      const at = await place();
      const { live, staged } = fill(at, before, after);
      const child = childForTest();
      await child.lockDatabases(lockRequest(live));
      await child.lockStaged(lockRequest(staged));
      const waiting = await startWaiting(live, 1500, another);
      swap(staged, live);
      let finished = false;
      const finishing = child.finishSwap({ databases: swapped(live) }).then(() => (finished = true));
      await sleep(500);
      expect(finished).toBe(false);
      expect(await waiting.answer).toBe('SQLITE_BUSY');
      await finishing;
      await child.releaseLocks();
      expectSound(live, newRows);
      expectSound(`${live}.aside`, oldRows);
    },
  );

  it.skipIf(!isLinux)(
    'can be moved back where a client does not close the old one, which then takes what that writes',
    async () => {
      const at = await place();
      const { live, staged } = fill(at, before, after);
      const child = childForTest();
      await child.lockDatabases(lockRequest(live));
      await child.lockStaged(lockRequest(staged));
      const waiting = await startWaiting(live, 30_000, another);
      const aside = swap(staged, live);
      await expect(child.finishSwap({ databases: swapped(live), patience: 200 })).rejects.toMatchObject({
        id: 'database-in-use',
        exitCode: 15,
        path: live,
        message: containing(`x.db by process ${waiting.pid} (`),
      });
      expect(askElsewhere(live)).toBe('SQLITE_BUSY');
      linkSync(live, staged);
      renameSync(aside, live);
      expect(await child.releaseLocks()).toEqual({ stillOpen: [] });
      expect(await waiting.answer).toBe(oldRows + 1);
      expectSound(live, oldRows + 1);
      expectSound(staged, newRows);
    },
  );
});

describe('a swap', () => {
  it.skipIf(!isLinux)(
    'that was undone waits for clients of the restored file, and tells those that keep it open',
    async () => {
      const at = await place();
      const { live, staged } = fill(at, 'wal', 'wal');
      const child = childForTest();
      await child.lockDatabases(lockRequest(live));
      await child.lockStaged(lockRequest(staged));
      const aside = swap(staged, live);
      const waiting = await startWaiting(live, 30_000);
      linkSync(live, staged);
      renameSync(aside, live);
      const { stillOpen } = await child.releaseLocks({ patience: 200 });
      expect(stillOpen).toMatchObject([{ pid: waiting.pid, path: staged }]);
      await waiting.answer;
    },
  );

  it('over a database with a hot journal leaves none of it to the new one', async () => {
    const at = await place();
    const { live, staged } = fill(at, 'delete', 'delete');
    crashInTransaction(live);
    const child = childForTest();
    await child.lockDatabases(lockRequest(live));
    await child.lockStaged(lockRequest(staged));
    swap(staged, live);
    await child.finishSwap({ databases: swapped(live) });
    await child.releaseLocks();
    expect(liveNames(at)).toEqual(['x.db', 'x.db.aside']);
    expectSound(live, newRows);
    expectSound(`${live}.aside`, oldRows);
  });

  it.each(['-wal', '-journal'])('is not finished while a foreign %s lies at the live path', async (suffix) => {
    const at = await place();
    const { live, staged } = fill(at, 'delete', 'wal');
    const foreign = `${live}${suffix}`;
    rmSync(live);
    writeFileSync(foreign, 'of a database that is gone');
    const child = childForTest();
    const result = await child.lockDatabases(lockRequest(live));
    expect(result.databases).toEqual([{ kind: 'absent', name: 'x.db', sidecars: [foreign] }]);
    await child.lockStaged(lockRequest(staged));
    renameSync(staged, live);
    const finish = (): Promise<void> => child.finishSwap({ databases: swapped(live) });
    await expect(finish()).rejects.toMatchObject({ id: 'io-failed', path: foreign, message: containing('26 bytes') });
    renameSync(foreign, `${foreign}.aside`);
    await finish();
    await child.releaseLocks();
    expectSound(live, newRows);
    expect(liveNames(at)).toContain(`x.db${suffix}.aside`);
  });

  it('removes empty sidecars and the index of a database that could not be locked', async () => {
    const at = await place();
    const { live, staged } = fill(at, 'delete', 'wal');
    writeFileSync(live, Buffer.alloc(5000, 7));
    for (const suffix of ['-wal', '-journal']) writeFileSync(`${live}${suffix}`, '');
    writeFileSync(`${live}-shm`, Buffer.alloc(32_768, 1));
    const child = childForTest();
    await child.lockDatabases(lockRequest(live));
    await child.lockStaged(lockRequest(staged));
    swap(staged, live);
    expect(liveNames(at)).toEqual(['x.db', 'x.db-journal', 'x.db-shm', 'x.db-wal', 'x.db.aside']);
    await child.finishSwap({ databases: swapped(live) });
    expect(liveNames(at)).toEqual(['x.db', 'x.db.aside']);
    await child.releaseLocks();
    expectSound(live, newRows);
  });

  it('to raw bytes leaves the sidecars that were restored with them', async () => {
    const at = await place();
    const { live, staged } = fill(at, 'delete', 'wal');
    crashInTransaction(live);
    const child = childForTest();
    await child.lockDatabases(lockRequest(live));
    crashAfter(staged, another);
    swap(staged, live);
    for (const suffix of ['-wal', '-shm']) renameSync(`${staged}${suffix}`, `${live}${suffix}`);
    // A connection that has rolled back a journal deletes one by that name when it is closed, unless it let go of it before.
    writeFileSync(`${live}-journal`, 'restored as well');
    await child.finishSwap({ databases: [{ path: live, sidecars: 'restored' }] });
    await child.releaseLocks();
    expect(liveNames(at)).toEqual(['x.db', 'x.db-journal', 'x.db-shm', 'x.db-wal', 'x.db.aside']);
    rmSync(`${live}-journal`);
    expectSound(live, newRows + 1);
  });

  it('of a whole folder and of one database are the same, and one that stays is still locked', async () => {
    const at = await place();
    const { live, staged } = fill(at, 'wal', 'wal');
    makeRows(at.live('stays.db'), 'delete', 1);
    const child = childForTest();
    await child.lockDatabases(lockRequest(live, at.live('stays.db')));
    await child.lockStaged(lockRequest(staged));
    linkSync(at.live('stays.db'), at.copy('stays.db'));
    renameSync(at.live('.'), `${at.root}/aside`);
    renameSync(at.copy('.'), at.live('.'));
    await child.finishSwap({ databases: swapped(live) });
    expect(askElsewhere(at.live('stays.db'))).toBe('SQLITE_BUSY');
    expect(askElsewhere(`${at.root}/aside/x.db`)).toBe(oldRows);
    await child.releaseLocks();
    expectSound(live, newRows);
    expectSound(at.live('stays.db'), 1);
  });

  it('that a person recovers locks both sides, and brings in what was written since', async () => {
    const at = await place();
    const { live, staged } = fill(at, 'wal', 'wal');
    const aside = swap(staged, live);
    // The restored one was used after the kill, and the recovery goes back.
    crashAfter(live, another);
    const child = childForTest();
    await child.lockDatabases(lockRequest(live, aside));
    expect(liveNames(at)).toEqual(['x.db', 'x.db.aside']);
    renameSync(live, `${live}.restored`);
    renameSync(aside, live);
    await child.finishSwap({ databases: swapped(live) });
    await child.releaseLocks();
    expectSound(live, oldRows);
    expectSound(`${live}.restored`, newRows + 1);
  });

  it('that was killed between the link and the rename is finished without the old -wal', async () => {
    const at = await place();
    const { live, staged } = fill(at, 'wal', 'wal');
    const aside = `${live}.aside`;
    linkSync(live, aside);
    crashAfter(live, another);
    const child = childForTest();
    await child.lockDatabases(lockRequest(aside, live));
    await child.lockStaged(lockRequest(staged));
    renameSync(staged, live);
    await child.finishSwap({ databases: swapped(live) });
    await child.releaseLocks();
    expectSound(live, newRows);
    expectSound(aside, oldRows + 1);
  });
});

describe('a staged database', () => {
  it('that is none, or has something beside it, is refused, and all else stays as it was', async () => {
    const at = await place();
    const { live, staged } = fill(at, 'wal', 'wal');
    writeFileSync(at.copy('noise.db'), 'no database');
    writeFileSync(at.copy('empty.db'), '');
    const child = childForTest();
    await child.lockDatabases(lockRequest(live));
    const before = traces(at.copy('.'));
    const attempt = child.lockStaged(lockRequest(staged, at.copy('noise.db')));
    await expect(attempt).rejects.toMatchObject({ id: 'io-failed', path: at.copy('noise.db') });
    expect(traces(at.copy('.'))).toEqual(before);
    writeFileSync(`${at.copy('empty.db')}-wal`, 'not of it');
    await expect(child.lockStaged(lockRequest(at.copy('empty.db')))).rejects.toMatchObject({ id: 'io-failed' });
    rmSync(`${at.copy('empty.db')}-wal`);
    await expect(child.lockStaged(lockRequest(at.copy('none.db')))).rejects.toMatchObject({ id: 'io-failed' });
    expect(askElsewhere(live)).toBe('SQLITE_BUSY');
    await child.lockStaged(lockRequest(staged, at.copy('empty.db')));
    expect(traces(at.copy('.'))).toEqual(before);
    await child.releaseLocks();
    expect(askElsewhere(staged)).toBe(newRows);
  });

  it('may be empty, and may take the path of an empty one', async () => {
    const at = await place();
    writeFileSync(at.live('x.db'), '');
    writeFileSync(at.copy('x.db'), '');
    const child = childForTest();
    await child.lockDatabases(lockRequest(at.live('x.db')));
    await child.lockStaged(lockRequest(at.copy('x.db')));
    unlinkSync(at.live('x.db'));
    renameSync(at.copy('x.db'), at.live('x.db'));
    await child.finishSwap({ databases: swapped(at.live('x.db')) });
    await child.releaseLocks();
    expect(liveNames(at)).toEqual(['x.db']);
    makeDatabase(at.live('x.db'), 'CREATE TABLE t (a)');
  });
});
