import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { withCleanup } from '../../src/base/cleanup.js';
import type { ScheduleValues } from '../../src/base/schedule-row.js';
import { storedBackup } from '../../src/operations/backup-file.js';
import { planInPlace } from '../../src/operations/plan-in-place.js';
import type { ScheduleDifference } from '../../src/operations/schedule-difference.js';
import { openScheduleStore, type ScheduleStore } from '../../src/operations/schedule-store.js';
import { create, deps, directory, failure, instance, siteCopy, type Instance } from '../helpers/instance.js';
import { temporaryFolder } from '../helpers/surroundings.js';

const daily: ScheduleValues = {
  name: 'daily',
  frequency: 'daily',
  time_of_day: '03:30',
  day_of_week: null,
  day_of_month: null,
  timezone: null,
  keep: 7,
  scopes: null,
  project: null,
  format: null,
  options: null,
  enabled: 1,
};

const storeOf = ({ sources, storage }: Instance, using = deps()): ScheduleStore =>
  openScheduleStore({ configured: sources, storage, instance: 'site' }, using);

describe('schedules of an instance', () => {
  it('lie in its system.brain where it has one', async () => {
    const site = siteCopy();
    const temporary = temporaryFolder();
    const store = storeOf(site, deps({ temporaryFolder: temporary }));
    expect(store.location).toBe(join(site.root, 'var/system.brain'));
    expect(await store.look()).toEqual([]);
    await store.put(daily);
    await store.put({ ...daily, name: 'weekly' });
    expect(await store.setEnabled('weekly', false)).toBe(true);
    expect(await store.remove('daily')).toBe(true);
    expect(await store.remove('daily')).toBe(false);
    for (const rows of [await store.read(), await store.look()])
      expect(rows).toMatchObject([{ name: 'weekly', enabled: 0 }]);
    expect(existsSync(site.storage.folder)).toBe(false);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('lie in its storage where it has none', async () => {
    const site = await instance({ data: { file: 'x' } }, [directory('data')]);
    const store = storeOf(site);
    expect(await store.look()).toEqual([]);
    expect(existsSync(site.storage.folder)).toBe(false);
    await store.put(daily);
    expect(await store.read()).toMatchObject([{ name: 'daily' }]);
    expect(readdirSync(site.storage.folder)).toContain('schedules.json');
  });

  it('are told with what is missing', async () => {
    const site = siteCopy();
    const db = new Database(join(site.root, 'var/system.brain'));
    db.exec('CREATE TABLE backup_schedule (name TEXT PRIMARY KEY)');
    db.close();
    const store = storeOf(site);
    for (const call of [() => store.read(), () => store.look(), () => store.put(daily)]) {
      expect((await failure(call())).message).toMatch(/lacks the columns frequency, time_of_day,/);
    }
  });
});

/** What a plan to restore a backup says of schedules. */
function difference(site: Instance, id: string): Promise<ScheduleDifference | undefined> {
  return withCleanup(async (cleanup) => {
    const request = {
      file: storedBackup(site.storage, `${id}.zip`),
      instance: 'app',
      root: site.root,
      configured: site.sources,
      excludes: [],
      storage: site.storage,
      only: undefined,
      paths: undefined,
      owner: { kind: 'target' } as const,
      allowUnverified: false,
      allowRepacked: false,
      compare: true,
      safetyBackup: true,
    };
    return (await planInPlace(request, deps(), cleanup)).schedules;
  });
}

describe('restoring an old database', () => {
  it('brings back old schedules, and the plan names them', async () => {
    const site = siteCopy();
    const store = storeOf(site);
    for (const name of ['same', 'changed', 'back']) await store.put({ ...daily, name });
    const { id } = await create(site);
    expect(await difference(site, id)).toEqual({ kind: 'known', added: [], changed: [], removed: [] });
    await store.put({ ...daily, name: 'same' });
    await store.setEnabled('changed', false);
    await store.remove('back');
    await store.put({ ...daily, name: 'lost' });
    expect(await difference(site, id)).toEqual({
      kind: 'known',
      added: ['back'],
      changed: ['changed'],
      removed: ['lost'],
    });
  });

  it('that has no such table differs in all of them', async () => {
    const site = siteCopy();
    const { id } = await create(site);
    await storeOf(site).put(daily);
    expect(await difference(site, id)).toEqual({ kind: 'known', added: [], changed: [], removed: ['daily'] });
  });

  it('with a view that has no end in the place of the table is not waited for', async () => {
    const site = siteCopy();
    const file = join(site.root, 'var/system.brain');
    const db = new Database(file);
    db.exec(`CREATE VIEW backup_schedule AS WITH RECURSIVE n (name) AS (SELECT 1 UNION ALL SELECT name + 1 FROM n)
      SELECT name FROM n`);
    db.close();
    const { id } = await create(site);
    expect(await difference(site, id)).toEqual({ kind: 'unknown' });
  });
});
