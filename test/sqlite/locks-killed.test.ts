import { linkSync, renameSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { SqliteChild } from '../../src/sqlite/client.js';
import { BkpError } from '../../src/base/errors.js';
import { isFull, rounds } from '../helpers/rounds.js';
import {
  childForTest,
  containing,
  crashAfter,
  isAlive,
  makeDatabase,
  place,
  readDatabase,
  snapshotOf,
} from './databases.js';
import { askElsewhere, crashInTransaction, lockRequest, makeRows, modes } from './swaps.js';

const another = 'INSERT INTO t VALUES (99)';

function expectSound(path: string, rows: number): void {
  expect(readDatabase(path, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  expect(askElsewhere(path, another)).toBe(rows + 1);
}

async function kill(child: SqliteChild): Promise<void> {
  process.kill(child.pid!, 'SIGKILL');
  await child.close();
  expect(isAlive(child.pid!)).toBe(false);
}

const stages = ['locked', 'copied', 'staged', 'linked', 'renamed', 'finished', 'released'] as const;
const cases = modes.flatMap((before) => modes.flatMap((after) => stages.map((stage) => ({ before, after, stage }))));

/** All four pairs of modes where a database is moved over another; elsewhere each mode is there once, over the other one. */
const movesOver: ReadonlySet<string> = new Set(['renamed', 'finished']);
const chosen = cases.filter(({ before, after, stage }) => isFull || before !== after || movesOver.has(stage));

describe('the process that holds the locks, killed', () => {
  it.each(chosen)(
    'when it has $stage, $after over $before, leaves both databases whole',
    async ({ before, after, stage }) => {
      const at = await place();
      const live = makeRows(at.live('x.db'), before, 2);
      const staged = makeRows(at.copy('x.db'), after, 5);
      const aside = `${live}.aside`;
      crashAfter(live, another);
      if (before === 'delete') crashInTransaction(live);
      const child = childForTest();
      const { group, databases } = snapshotOf(at, 'x.db');
      const copies = databases.map((database) => ({ ...database, destination: at.copy('copied.db') }));
      const steps: Record<(typeof stages)[number], () => unknown> = {
        locked: () => child.lockDatabases(lockRequest(live)),
        copied: () => child.snapshotLocked({ databases: copies, group }),
        staged: () => child.lockStaged(lockRequest(staged)),
        linked: () => linkSync(live, aside),
        renamed: () => renameSync(staged, live),
        finished: () => child.finishSwap({ databases: [{ path: live, sidecars: 'none' }] }),
        released: () => child.releaseLocks(),
      };
      const done = stages.slice(0, stages.indexOf(stage) + 1);
      for (const step of done) await steps[step]();
      await kill(child);
      if (done.includes('renamed')) {
        expectSound(live, 5);
        expectSound(aside, 3);
      } else {
        expectSound(live, 3);
        expectSound(staged, 5);
      }
      if (done.includes('copied')) expectSound(at.copy('copied.db'), 3);
    },
  );

  it('at any instant of taking the locks leaves every commit of a killed application', async () => {
    const rows = 200;
    const outcomes: string[] = [];
    const count = rounds(4, 12);
    for (let run = 0; run < count; run++) {
      const at = await place();
      const live = at.live('x.db');
      makeDatabase(live, 'PRAGMA journal_mode = WAL; CREATE TABLE t (a)');
      const insert = `INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ${rows}) SELECT randomblob(100000) FROM n`;
      crashAfter(live, 'PRAGMA wal_autocheckpoint = 0', insert);
      const child = childForTest();
      await child.check(makeRows(at.copy('warm.db'), 'delete', 1));
      const attempt = child.lockDatabases(lockRequest(live)).then(
        () => 'locked',
        (error: unknown) => (error instanceof BkpError ? error.id : 'bug'),
      );
      await sleep((run * 96) / count);
      await kill(child);
      outcomes.push(`${await attempt} ${statSync(live).size > 1_000_000 ? 'begun' : 'not begun'}`);
      expectSound(live, rows);
    }
    if (process.env['BKP_MEASURE'] !== undefined) process.stderr.write(`${outcomes.join(', ')}\n`);
    for (const outcome of outcomes) expect(outcome).toMatch(/^(locked|sqlite-child-failed) /);
  });

  it('on abort lets go of all locks, with the reason of the abort', async () => {
    const at = await place();
    const live = makeRows(at.live('x.db'), 'wal', 2);
    crashAfter(live, another);
    const controller = new AbortController();
    const reason = new BkpError('interrupted', 'stopped by SIGINT');
    const child = childForTest(controller.signal);
    await child.lockDatabases(lockRequest(live));
    const waiting = child.snapshotLocked(snapshotOf(at, 'x.db'));
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(child.finishSwap({ databases: [] })).rejects.toBe(reason);
    await child.close();
    expectSound(live, 3);
  });

  it('says so to whoever asks it next', async () => {
    const at = await place();
    const live = makeRows(at.live('x.db'), 'wal', 2);
    const child = childForTest();
    await child.lockDatabases(lockRequest(live));
    await kill(child);
    for (const asked of [
      child.lockStaged({ databases: [] }),
      child.finishSwap({ databases: [] }),
      child.releaseLocks(),
    ]) {
      await expect(asked).rejects.toMatchObject({ id: 'sqlite-child-failed', message: containing('process') });
    }
  });

  it('or closed while it holds locks, lets go of them', async () => {
    const at = await place();
    const live = makeRows(at.live('x.db'), 'wal', 2);
    crashAfter(live, another);
    const child = childForTest();
    await child.lockDatabases(lockRequest(live));
    await child.close();
    expectSound(live, 3);
  });
});
