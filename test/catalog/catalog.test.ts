import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { RecordedRun } from '../../src/catalog/run-record.js';
import type { Answer } from '../../src/catalog/catalog.js';
import { temporaryFolder } from '../helpers/surroundings.js';
import { catalogFile, catalogIn, change, query, TestClock } from './catalogs.js';

const of = { instance: 'app', schedule: 'daily' };

const idsOf = (runs: Answer<readonly RecordedRun[]>): readonly number[] | 'unknown' =>
  runs === 'unknown' ? runs : runs.map(({ id }) => id);

describe('a run', () => {
  it('is there from its beginning, with its steps, findings and end', async () => {
    const clock = new TestClock();
    const began = clock.now();
    const folder = temporaryFolder();
    const catalog = await catalogIn(folder, clock);
    const run = catalog.beginRun({ kind: 'create', ...of, slot: began - 5000 });
    expect(catalog.run('latest')).toMatchObject({ run: { state: 'running', endedAt: undefined, steps: 0 }, steps: [] });
    clock.pass(1500);
    run.step('databases-copied', 'copied 2 databases');
    clock.pass(250);
    run.step('named', 'it has its name');
    run.finding({ kind: 'loss', id: 'file-vanished', source: 'uploads', path: 'uploads/a', message: 'gone' });
    run.finding({ kind: 'note', id: 'hook-failed', message: 'a hook' });
    clock.pass(50);
    run.end({ exitCode: 3, backup: '20251030T120000Z-daily', bytes: 1000, files: 7 });
    run.step('late', 'is not recorded');
    run.end({ exitCode: 0 });
    const recorded = await catalogIn(folder, clock);
    expect(recorded.run('latest')).toEqual({
      run: {
        id: 1,
        kind: 'create',
        instance: 'app',
        schedule: 'daily',
        slot: began - 5000,
        backup: '20251030T120000Z-daily',
        state: 'incomplete',
        startedAt: began,
        endedAt: began + 1800,
        exitCode: 3,
        bytes: 1000,
        files: 7,
        error: undefined,
        host: expect.any(String) as string,
        pid: process.pid,
        steps: 2,
        findings: 2,
      },
      steps: [
        { at: began + 1500, id: 'databases-copied', message: 'copied 2 databases', milliseconds: 1500 },
        { at: began + 1750, id: 'named', message: 'it has its name', milliseconds: 250 },
      ],
      findings: [
        { kind: 'loss', id: 'file-vanished', source: 'uploads', path: 'uploads/a', message: 'gone' },
        { kind: 'note', id: 'hook-failed', message: 'a hook' },
      ],
    });
    expect(recorded.warning).toBeUndefined();
  });

  it('tells others its steps while it goes on', async () => {
    const folder = temporaryFolder();
    const run = (await catalogIn(folder)).beginRun({ kind: 'create' });
    run.step('scan', 'looked');
    const others = await catalogIn(folder);
    const steps = (): number => (others.run(1) as { steps: readonly unknown[] }).steps.length;
    for (let n = 0; n < 200 && steps() === 0; n += 1) await sleep(25);
    expect(steps()).toBe(1);
  });

  it('that failed names its error', async () => {
    const catalog = await catalogIn(temporaryFolder());
    catalog.beginRun({ kind: 'verify' }).end({ exitCode: 14, error: { id: 'archive-damaged', message: 'bad' } });
    expect(catalog.run(1)).toMatchObject({
      run: { state: 'failed', exitCode: 14, error: { id: 'archive-damaged', message: 'bad' }, schedule: undefined },
    });
    expect(catalog.run(2)).toBeUndefined();
  });

  it('keeps a bounded number of bounded texts, and counts the others', async () => {
    const catalog = await catalogIn(temporaryFolder());
    const run = catalog.beginRun({ kind: 'create' });
    for (let n = 0; n < 700; n += 1) {
      run.step('s', `${n} ${'x'.repeat(5000)}`);
      run.finding({ kind: 'loss', id: 'file-vanished', path: '🦊'.repeat(600), message: 'nul \0 and lone \ud800' });
    }
    run.end({ exitCode: 3, error: { id: 'internal', message: 'y'.repeat(5000) } });
    const found = catalog.run('latest');
    if (found === 'unknown' || found === undefined) throw new Error('no run');
    expect(found.run).toMatchObject({ steps: 700, findings: 700 });
    expect(found.run.error?.message).toHaveLength(1000);
    expect(found.steps).toHaveLength(500);
    expect(found.steps[499]?.message).toMatch(/^499 x+…$/);
    expect(found.findings).toHaveLength(500);
    expect(found.findings[0]?.message).toBe('nul \0 and lone \ufffd');
    expect(found.findings[0]?.path).toHaveLength(1000);
  });
});

describe('the runs', () => {
  it('are told newest first, as asked for', async () => {
    const catalog = await catalogIn(temporaryFolder());
    const add = (schedule: string, exitCode: number, kind: 'create' | 'verify' = 'create', instance = 'app'): void =>
      catalog.beginRun({ kind, instance, schedule }).end({ exitCode });
    add('daily', 0);
    add('daily', 1);
    add('weekly', 0);
    add('daily', 0, 'verify');
    add('daily', 0, 'create', 'other');
    add('daily', 3);
    catalog.beginRun({ kind: 'create', ...of });
    expect(idsOf(catalog.runs())).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(idsOf(catalog.runs({ limit: 2 }))).toEqual([7, 6]);
    expect(idsOf(catalog.runs({ instance: 'other' }))).toEqual([5]);
    expect(idsOf(catalog.runs({ kind: 'verify' }))).toEqual([4]);
    expect(idsOf(catalog.runs({ ...of, result: 'failed' }))).toEqual([2]);
    expect(catalog.lastSuccess(of)).toMatchObject({ id: 1, state: 'done' });
    expect(idsOf(catalog.lastAttempts(of))).toEqual([7, 6, 2, 1]);
    expect(idsOf(catalog.lastAttempts(of, 1))).toEqual([7]);
    expect(catalog.lastSuccess({ instance: 'app', schedule: 'monthly' })).toBeUndefined();
  });

  it('are the newest ten thousand, the newest thousand with their steps', async () => {
    const folder = temporaryFolder();
    (await catalogIn(folder)).beginRun({ kind: 'create' }).end({ exitCode: 0 });
    change(
      folder,
      `WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10500)
       INSERT INTO run (id, key, kind, started_at, result, host, pid, boot, namespace, began)
       SELECT i, 'key ' || i, 'create', 0, 'done', '', 0, '', '', '' FROM n;
       INSERT INTO step (run, at, id, message, duration) SELECT id, 0, 's', '', 0 FROM run;
       INSERT INTO finding (run, kind, id, message) SELECT id, 'note', 'n', '' FROM run`,
    );
    const catalog = await catalogIn(folder);
    catalog.beginRun({ kind: 'create' }).end({ exitCode: 0 });
    expect(query(folder, 'SELECT min(id) AS first, max(id) AS last FROM run')).toEqual([{ first: 501, last: 10501 }]);
    for (const table of ['step', 'finding'])
      expect(query(folder, `SELECT min(run) AS first FROM ${table}`)).toEqual([{ first: 9501 }]);
    expect(catalog.runs()).toHaveLength(50);
    expect(catalog.warning).toBeUndefined();
  });
});

describe('verifications', () => {
  it('are remembered once for each archive, the oldest first', async () => {
    const catalog = await catalogIn(temporaryFolder());
    const sha256 = 'a'.repeat(64);
    catalog.recordVerification({ archive: 'a.zip', sha256, at: 3000, verdict: 'intact' });
    catalog.recordVerification({ archive: 'b.zip', sha256: undefined, at: 2000.4, verdict: 'damaged' });
    catalog.recordVerification({ archive: 'c.zip', sha256, at: 2500, verdict: 'intact' });
    catalog.recordVerification({ archive: 'a.zip', sha256, at: 1000, verdict: 'incomplete' });
    catalog.forget('c.zip', 'c');
    expect(catalog.verifications()).toEqual([
      { archive: 'a.zip', sha256, at: 1000, verdict: 'incomplete' },
      { archive: 'b.zip', sha256: undefined, at: 2000, verdict: 'damaged' },
    ]);
  });

  it('are of ten thousand archives at most', async () => {
    const folder = temporaryFolder();
    const catalog = await catalogIn(folder);
    catalog.recordVerification({ archive: 'first', sha256: undefined, at: 1, verdict: 'intact' });
    change(
      folder,
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
       INSERT INTO archive (name, verified_at, verdict) SELECT 'n' || i, 10 + i, 'intact' FROM n`,
    );
    catalog.recordVerification({ archive: 'last', sha256: undefined, at: 1e6, verdict: 'intact' });
    expect(query(folder, 'SELECT count(*) AS count, min(verified_at) AS oldest FROM archive')).toEqual([
      { count: 10000, oldest: 12 },
    ]);
  });
});

describe('the file', () => {
  it('is for its owner alone, with no other file beside it', async () => {
    const folder = temporaryFolder();
    (await catalogIn(folder)).beginRun({ kind: 'create' }).end({ exitCode: 0 });
    expect(readdirSync(folder)).toEqual(['catalog.db']);
    expect(statSync(catalogFile(folder)).mode & 0o7777).toBe(0o600);
  });

  it('is made by who writes, never by who only looks', async () => {
    const folder = temporaryFolder();
    const catalog = await catalogIn(folder);
    expect(catalog.runs()).toEqual([]);
    expect(catalog.run('latest')).toBeUndefined();
    expect(catalog.verifications()).toEqual([]);
    expect(catalog.lastSuccess(of)).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('waits for a storage that is made during the run, and makes none itself', async () => {
    const folder = join(temporaryFolder(), 'storage');
    const catalog = await catalogIn(folder);
    const run = catalog.beginRun({ kind: 'create' });
    run.step('scan', 'looked');
    expect(existsSync(folder)).toBe(false);
    mkdirSync(folder);
    run.end({ exitCode: 0 });
    expect(catalog.run('latest')).toMatchObject({ run: { state: 'done' }, steps: [{ id: 'scan' }] });
    const never = await catalogIn(join(folder, 'never'));
    never.beginRun({ kind: 'create' }).end({ exitCode: 1 });
    expect(readdirSync(folder)).toEqual(['catalog.db']);
    expect([catalog.warning, never.warning]).toEqual([undefined, undefined]);
  });
});
