import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import type { ScheduleValues } from '../../src/base/schedule-row.js';
import { SchedulesFile } from '../../src/catalog/schedules-file.js';
import { temporaryFolder, tinyFileSystem } from '../helpers/surroundings.js';
import { TestClock } from './catalogs.js';

const daily: ScheduleValues = {
  name: 'daily',
  frequency: 'daily',
  time_of_day: '03:30',
  day_of_week: null,
  day_of_month: null,
  timezone: null,
  keep: 7,
  scopes: 'databases',
  project: null,
  format: null,
  options: null,
  enabled: 1,
};

const named = (name: string): ScheduleValues => ({ ...daily, name });
const put = (row: ScheduleValues) => ({ kind: 'put', row }) as const;

function written(content: unknown): SchedulesFile {
  const file = new SchedulesFile(temporaryFolder(), 'site', systemClock);
  writeFileSync(file.path, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

describe('schedules in a file', () => {
  it('are put, replaced, disabled and removed', async () => {
    const clock = new TestClock();
    const folder = temporaryFolder();
    const file = new SchedulesFile(folder, 'site', clock);
    expect(file.read()).toEqual([]);
    expect(await file.change(put(daily))).toBe(true);
    const stored = { ...daily, created_at: '2025-10-30T12:00:00Z', updated_at: '2025-10-30T12:00:00Z' };
    expect(file.read()).toEqual([stored]);
    expect(statSync(file.path).mode & 0o7777).toBe(0o600);
    clock.pass(60_000);
    const later = '2025-10-30T12:01:00Z';
    await file.change(put({ ...daily, keep: 3 }));
    await file.change(put(named('weekly')));
    expect(await file.change({ kind: 'enable', name: 'weekly', enabled: false })).toBe(true);
    expect(file.read()).toEqual([
      { ...stored, keep: 3, updated_at: later },
      { ...named('weekly'), enabled: 0, created_at: later, updated_at: later },
    ]);
    expect(await file.change({ kind: 'remove', name: 'daily' })).toBe(true);
    expect(await file.change({ kind: 'remove', name: 'daily' })).toBe(false);
    expect(await file.change({ kind: 'enable', name: 'daily', enabled: true })).toBe(false);
    expect(file.read()).toMatchObject([{ name: 'weekly' }]);
    expect(readdirSync(folder).sort()).toEqual(['.schedules.lock', 'schedules.json']);
  });

  it('keep what others wrote beside our keys, and are told as they are', async () => {
    const file = written({
      version: 1,
      schedules: [
        { name: 'daily', colour: 'blue', keep: 'many', scopes: ['x'], options: 'o'.repeat(65_537), enabled: true },
      ],
    });
    expect(file.read()).toEqual([
      {
        ...Object.fromEntries(Object.keys(daily).map((key) => [key, null])),
        name: 'daily',
        keep: 'many',
        scopes: ['x'],
        options: '\ufffd',
        enabled: true,
        created_at: null,
        updated_at: null,
      },
    ]);
    await file.change({ kind: 'enable', name: 'daily', enabled: false });
    expect(readFileSync(file.path, 'utf8')).toContain('"colour": "blue"');
    expect(file.read()).toMatchObject([{ keep: 'many', enabled: 0 }]);
  });

  it('lose none where several processes change them at once', async () => {
    const folder = temporaryFolder();
    const names = Array.from({ length: 12 }, (_, n) => `s${n}`);
    await Promise.all(names.map((name) => new SchedulesFile(folder, 'site', systemClock).change(put(named(name)))));
    const read = new SchedulesFile(folder, 'site', systemClock).read();
    expect(read.map(({ name }) => String(name)).sort()).toEqual(names.sort());
  });

  it('are a thousand at most', async () => {
    const schedules = Array.from({ length: 1000 }, (_, n) => ({ name: `s${n}` }));
    const file = written({ version: 1, schedules });
    await expect(file.change(put(daily))).rejects.toMatchObject({ id: 'schedules-invalid' });
    expect(file.read()).toHaveLength(1000);
    expect(() => written({ version: 1, schedules: [...schedules, {}] }).read()).toThrow('more than 1000 schedules');
  });
});

describe('a file of schedules that cannot be understood', () => {
  it.each([
    ['an empty file', '', /is not JSON in UTF-8/],
    ['a part of one', '{"version": 1, "schedules": [', /is not JSON in UTF-8/],
    ['no version', { schedules: [] }, /has no version/],
    ['a list', [], /has no version/],
    ['no list', { version: 1, schedules: {} }, /has no list of schedules/],
    ['a list of texts', { version: 1, schedules: ['daily'] }, /has no list of schedules/],
    ['a list of nothing', { version: 1, schedules: [null] }, /has no list of schedules/],
    ['too large', ' '.repeat(4 * 1024 * 1024 + 1), /is larger than 4194304 bytes/],
  ])('(%s) is neither used nor replaced', async (_, content, message) => {
    const file = written(content);
    const before = readFileSync(file.path, 'utf8');
    expect(() => file.read()).toThrow(message);
    await expect(file.change(put(daily))).rejects.toMatchObject({ id: 'schedules-invalid', exitCode: 1 });
    expect(readFileSync(file.path, 'utf8')).toBe(before);
  });

  it('is named as of a newer version', async () => {
    const file = written({ version: 2, schedules: [], more: true });
    await expect(file.change(put(daily))).rejects.toMatchObject({ id: 'format-newer', exitCode: 15 });
  });

  it('is no link and no folder', async () => {
    const outside = written({ version: 1, schedules: [] });
    for (const what of ['link', 'folder']) {
      const file = new SchedulesFile(temporaryFolder(), 'site', systemClock);
      if (what === 'link') symlinkSync(outside.path, file.path);
      else mkdirSync(file.path);
      await expect(file.change(put(daily))).rejects.toMatchObject({ id: 'schedules-invalid' });
    }
    expect(outside.read()).toEqual([]);
  });

  it('has no keys that mean something else', () => {
    const file = written('{"version": 1, "schedules": [{"__proto__": {"name": "x"}, "name": "daily"}]}');
    expect(file.read()).toMatchObject([{ name: 'daily', frequency: null }]);
    expect(written('{"version": 1, "schedules": [{"__proto__": {"name": "x"}}]}').read()).toMatchObject([
      { name: null },
    ]);
  });
});

it('a full disk leaves the schedules as they were', async (context) => {
  const folder = tinyFileSystem(65_536);
  if (folder === undefined) return context.skip();
  const file = new SchedulesFile(folder, 'site', systemClock);
  await file.change(put(daily));
  writeFileSync(join(folder, 'filler'), Buffer.alloc(65_536 - 4096 * 3));
  await expect(file.change(put({ ...named('weekly'), options: 'o'.repeat(20_000) }))).rejects.toMatchObject({
    id: 'no-space',
    exitCode: 13,
  });
  expect(file.read()).toMatchObject([{ name: 'daily' }]);
  rmSync(join(folder, 'filler'));
  expect(await file.change(put(named('weekly')))).toBe(true);
});
