import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { isRunning, ownIdentity } from '../../src/catalog/process-identity.js';
import { temporaryFolder } from '../helpers/surroundings.js';
import { catalogIn, change, endOf, query, startRecording, TestClock } from './catalogs.js';

const intact = [{ integrity_check: 'ok' }];

describe('recording processes', () => {
  it('may be killed at any instant', async () => {
    const folder = temporaryFolder();
    for (let n = 0; n < 12; n += 1) {
      const child = startRecording(folder, 0);
      await once(child.stdout!, 'data');
      await sleep(Math.random() * 40);
      child.kill('SIGKILL');
      await endOf(child);
    }
    const clock = new TestClock();
    const catalog = await catalogIn(folder, clock);
    catalog.beginRun({ kind: 'create' }).end({ exitCode: 0 });
    expect(query(folder, 'PRAGMA integrity_check')).toEqual(intact);
    expect(readdirSync(folder)).toEqual(['catalog.db']);
    // What ended is whole; of each process at most the last run did not end.
    const half = `SELECT id FROM run WHERE result = 'done' AND id < (SELECT max(id) FROM run)
      AND (steps <> 1 OR (SELECT count(*) FROM finding WHERE run = run.id) <> 1)`;
    expect(query(folder, half)).toEqual([]);
    expect(query(folder, 'SELECT id FROM run WHERE result IS NULL')).toEqual([]);
    const [killed] = query<{ n: number }>(folder, "SELECT count(*) AS n FROM run WHERE result = 'killed'");
    expect(killed?.n).toBeLessThanOrEqual(12);
    expect(catalog.warning).toBeUndefined();
  });

  it('do not get in the way of each other', async () => {
    const folder = temporaryFolder();
    const children = [1, 2, 3].map(() => startRecording(folder, 20));
    const said = children.map(async (child) => {
      let text = '';
      child.stdout?.setEncoding('utf8').on('data', (more: string) => (text += more));
      await once(child, 'close');
      return text;
    });
    expect(await Promise.all(said)).toEqual(children.map(() => 'recording\nno warning\n'));
    expect(query(folder, "SELECT count(*) AS n FROM run WHERE result = 'done' AND steps = 1")).toEqual([{ n: 60 }]);
    expect(query(folder, 'SELECT count(*) AS n FROM finding')).toEqual([{ n: 60 }]);
    expect(query(folder, 'PRAGMA integrity_check')).toEqual(intact);
  });
});

describe('a run that never ended', () => {
  it('is told as killed once its process is gone, and recorded so by the next', async () => {
    const folder = temporaryFolder();
    const catalog = await catalogIn(folder);
    for (let n = 0; n < 3; n += 1) catalog.beginRun({ kind: 'create' });
    // A process number of another start of the machine, of another process, and one that is ours.
    change(folder, "UPDATE run SET boot = 'another' WHERE id = 1; UPDATE run SET began = '1' WHERE id = 2");
    expect(catalog.runs()).toMatchObject([
      { id: 3, state: 'running' },
      { id: 2, state: 'killed' },
      { id: 1, state: 'killed' },
    ]);
    expect(query(folder, 'SELECT id FROM run WHERE result IS NULL')).toHaveLength(3);
    catalog.beginRun({ kind: 'create' }).end({ exitCode: 0 });
    expect(query(folder, 'SELECT id, result FROM run ORDER BY id')).toEqual([
      { id: 1, result: 'killed' },
      { id: 2, result: 'killed' },
      { id: 3, result: null },
      { id: 4, result: 'done' },
    ]);
  });

  it('on another machine or in another container counts as running for a week', async () => {
    const folder = temporaryFolder();
    const clock = new TestClock();
    const catalog = await catalogIn(folder, clock);
    for (let n = 0; n < 2; n += 1) catalog.beginRun({ kind: 'create' });
    change(folder, "UPDATE run SET host = 'elsewhere' WHERE id = 1; UPDATE run SET namespace = 'pid:[1]' WHERE id = 2");
    clock.pass(6.9 * 24 * 60 * 60 * 1000);
    expect(catalog.runs()).toMatchObject([{ state: 'running' }, { state: 'running' }]);
    clock.pass(0.2 * 24 * 60 * 60 * 1000);
    expect(catalog.runs()).toMatchObject([{ state: 'killed' }, { state: 'killed' }]);
  });

  it('has its result after all where it was taken for dead too early', async () => {
    const folder = temporaryFolder();
    const catalog = await catalogIn(folder);
    const run = catalog.beginRun({ kind: 'create' });
    change(folder, "UPDATE run SET result = 'killed'");
    run.end({ exitCode: 0 });
    expect(catalog.runs()).toMatchObject([{ state: 'done' }]);
  });
});

it('a process is told from another that has its number', async () => {
  const own = ownIdentity();
  expect(own).toMatchObject({ host: hostname(), pid: process.pid });
  expect(isRunning(own)).toBe(true);
  const child = startRecording(temporaryFolder(), 1);
  const { pid } = child;
  await endOf(child);
  expect(isRunning({ ...own, pid: pid! })).toBe(false);
  expect(isRunning({ ...own, began: '1' })).toBe(false);
  expect(isRunning({ ...own, boot: 'another' })).toBe(false);
  expect(isRunning({ ...own, host: 'another' })).toBeUndefined();
  expect(isRunning({ ...own, namespace: 'another' })).toBeUndefined();
});
