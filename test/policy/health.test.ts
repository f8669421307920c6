import { describe, expect, it } from 'vitest';
import { localTime } from '../../src/base/clock.js';
import { healthInfo } from '../../src/policy/health-problem.js';
import { decideHealth, type HealthBackup, type HealthFacts } from '../../src/policy/health.js';
import type { RetainedBackup } from '../../src/policy/retention.js';
import type { ScheduleRun } from '../../src/policy/run-history.js';
import { scheduleHealth, type ScheduleHealth } from '../../src/policy/schedule-health.js';
import { backup } from './backups.js';
import { utc } from './golden.js';
import { schedule } from './schedules.js';

const hour = 60 * 60 * 1000;
const day = 24 * hour;
const now = utc('2024-11-22T12:00:00Z');
const slot = utc('2024-11-22T02:30:00Z');
const all = ['user.brain', 'uploads'];

const stored = (hoursAgo: number, fields: Partial<HealthBackup> = {}): HealthBackup => ({
  ...backup(now - hoursAgo * hour, fields),
  bytes: 1000,
  includes: all,
  ...fields,
});

const fine: ScheduleHealth = {
  name: 'nightly',
  enabled: true,
  lastGood: slot,
  lastRun: { start: slot, outcome: 'complete' },
  next: slot + day,
  overdueSince: undefined,
};

const facts = (fields: Partial<HealthFacts> = {}): HealthFacts => ({
  schedules: [fine],
  invalidSchedules: [],
  backups: [stored(9)],
  missing: [],
  sources: all,
  maxAge: undefined,
  freeBytes: 2000,
  sameDevice: false,
  unfinishedRestore: false,
  ...fields,
});

/** `fault too-old 20241121T…-daily: …` */
function told(fields: Partial<HealthFacts>): readonly string[] {
  const { healthy, problems } = decideHealth(facts(fields), now);
  expect(healthy).toBe(!problems.some(({ level }) => level === 'fault'));
  for (const { id, level } of problems) expect(level).toBe(healthInfo[id].level);
  return problems.map(
    ({ level, id, subject, message }) => `${level} ${id}${subject === null ? '' : ` ${subject}`}: ${message}`,
  );
}

it('is well where nothing is wrong', () => {
  expect(decideHealth(facts(), now)).toEqual({ healthy: true, problems: [] });
});

describe('the age of the newest complete backup', () => {
  it('is too old beyond what was asked for', () => {
    expect(told({ maxAge: 9 * hour })).toEqual([]);
    expect(told({ maxAge: 9 * hour - 1000 })).toEqual([
      'fault too-old 20241122T030000Z-daily: the newest complete backup is older than 32399 s',
    ]);
    expect(told({ maxAge: 26 * hour, backups: [stored(27)] })).toEqual([
      'fault too-old 20241121T090000Z-daily: the newest complete backup is older than 26 h',
    ]);
    expect(told({ maxAge: 7 * day, backups: [stored(300)] })[0]).toMatch(/older than 7 d$/);
  });

  it('is not lowered by what is no whole, good backup of this instance', () => {
    const useless: readonly Partial<RetainedBackup & HealthBackup>[] = [
      { status: 'incomplete' },
      { status: 'damaged' },
      { status: 'unproven' },
      { status: 'unknown' },
      { knownBad: true },
      { origin: 'safety' },
      { foreign: true, instance: 'other' },
      { instance: undefined },
      { includes: [] },
    ];
    const backups = [...useless.map((each) => stored(1, each)), stored(-48)];
    const old = told({ maxAge: 26 * hour, backups: [...backups, stored(27)] });
    expect(old).toContain('fault too-old 20241121T090000Z-daily: the newest complete backup is older than 26 h');
    expect(told({ backups })).toContain('fault no-backup: there is no complete backup');
  });

  it('is lowered by one made by hand', () => {
    expect(told({ maxAge: 26 * hour, backups: [stored(27), stored(2, { origin: 'manual' })] })).toEqual([]);
  });

  it('counts for each source by itself', () => {
    const partial = stored(1, { includes: ['user.brain'] });
    expect(told({ maxAge: 26 * hour, backups: [partial, stored(27)] })).toEqual([
      'fault too-old 20241121T090000Z-daily: the newest complete backup of uploads is older than 26 h',
    ]);
    expect(told({ backups: [partial] })).toEqual(['fault no-backup: no complete backup holds uploads']);
    const uploads = stored(2, { includes: ['uploads'] });
    expect(told({ maxAge: 26 * hour, backups: [partial, uploads] })).toEqual([]);
  });
});

describe('an incomplete backup', () => {
  const lacking = (hoursAgo: number, fields: Partial<HealthBackup> = {}): HealthBackup =>
    stored(hoursAgo, { status: 'incomplete', origin: 'manual', ...fields });
  const newestOf = (...backups: readonly HealthBackup[]): string | undefined =>
    decideHealth(facts({ backups }), now).newestIncomplete;

  it('that is the newest is told by itself; it makes nobody ill who has another', () => {
    const newest = lacking(1);
    expect(told({ backups: [newest, stored(9), lacking(30), lacking(31)] })).toEqual([
      `note backup-incomplete ${newest.id}: the newest backup lacks something it should hold`,
      `note backup-incomplete: they lack something they should hold: ${lacking(30).id}, ${lacking(31).id}`,
    ]);
    expect(decideHealth(facts({ backups: [newest, stored(9)] }), now).healthy).toBe(true);
  });

  it('is no news where a newer one is whole; safety backups, those of others and of times to come are not asked', () => {
    expect(newestOf(lacking(2), stored(1))).toBeUndefined();
    const asides = [{ origin: 'safety' }, { foreign: true, instance: 'other' }].map((each) => lacking(1, each));
    expect(newestOf(...asides, lacking(-48), stored(9))).toBeUndefined();
    expect(newestOf(stored(1, { origin: 'safety' }), lacking(2), stored(9))).toBe(lacking(2).id);
  });
});

describe('schedules', () => {
  const runAt = (start: number, outcome: ScheduleRun['outcome']): ScheduleRun => ({ start, outcome });

  it('that are overdue, failed or incomplete are named', () => {
    const bad = { ...fine, overdueSince: slot, lastRun: runAt(slot, 'failed') };
    const partial = { ...fine, name: 'weekly', lastRun: runAt(slot, 'incomplete') };
    expect(told({ schedules: [bad, partial] })).toEqual([
      `fault schedule-overdue nightly: it has made no complete backup since it was due at ${localTime(slot)}`,
      `fault schedule-failed nightly: its last run, at ${localTime(slot)}, failed`,
      `fault schedule-incomplete weekly: its last run, at ${localTime(slot)}, made an incomplete backup`,
    ]);
    expect(told({ schedules: [{ ...bad, enabled: false }, fine] })).toEqual([]);
  });

  it('that cannot be read are named with their faults', () => {
    const faults = [
      { at: 'keep', says: 'must be a whole number from 1 to 9999, not 0' },
      { at: 'format', says: 'must be zip or tar.gz, not "rar"' },
    ];
    expect(
      told({
        invalidSchedules: [
          { name: 'weekly', faults },
          { name: undefined, faults: faults.slice(1) },
        ],
      }),
    ).toEqual([
      'fault schedule-invalid weekly: keep must be a whole number from 1 to 9999, not 0; format must be zip or tar.gz, not "rar"',
      'fault schedule-invalid: format must be zip or tar.gz, not "rar"',
    ]);
  });

  it('that are all off are noted', () => {
    const note = 'note no-schedule: there is no schedule that is enabled';
    expect(told({ schedules: [] })).toEqual([note]);
    expect(told({ schedules: [{ ...fine, enabled: false }] })).toEqual([note]);
  });

  it('are looked at through their runs', () => {
    const runs = [runAt(slot, 'failed'), runAt(slot - day, 'complete'), runAt(now + 400 * day, 'complete')];
    expect(scheduleHealth(schedule(), runs, now)).toEqual({
      name: 'nightly',
      enabled: true,
      lastGood: slot - day,
      lastRun: runs[0],
      next: slot,
      overdueSince: slot,
    });
    expect(scheduleHealth(schedule(), [runAt(slot, 'complete')], now)).toMatchObject({
      lastGood: slot,
      next: slot + day,
      overdueSince: undefined,
    });
    expect(scheduleHealth(schedule({ enabled: false }), [], now)).toMatchObject({
      lastGood: undefined,
      lastRun: undefined,
      next: undefined,
      overdueSince: undefined,
    });
  });
});

it('names damaged and missing backups one by one, other odd ones together', () => {
  const backups = [
    stored(9),
    stored(10, { status: 'damaged' }),
    stored(11, { knownBad: true }),
    stored(12, { status: 'damaged', instance: undefined }),
    stored(13, { status: 'damaged', foreign: true, instance: 'other' }),
    stored(14, { status: 'incomplete' }),
    stored(-100),
    ...[20, 21, 22, 23, 24, 25, 26].map((ago) => stored(ago, { status: 'unknown' })),
  ];
  expect(told({ backups, missing: ['20241101T030000Z-daily'] })).toEqual([
    'fault backup-damaged 20241122T020000Z-daily: it cannot be restored as it is',
    'fault backup-damaged 20241122T010000Z-daily: it cannot be restored as it is',
    'fault backup-damaged 20241122T000000Z-daily: it cannot be restored as it is',
    'fault backup-missing 20241101T030000Z-daily: it was made, nobody deleted it, and it is not there: put it back from a copy, or let `bkp delete 20241101T030000Z-daily` forget it',
    'note backup-incomplete: they lack something they should hold: 20241121T220000Z-daily',
    'note backup-unreadable: what they hold is not known: 20241121T160000Z-daily, 20241121T150000Z-daily, 20241121T140000Z-daily, 20241121T130000Z-daily, 20241121T120000Z-daily, 2 more',
    'note backup-future: a clock was wrong: 20241126T160000Z-daily',
  ]);
});

it('compares free space with the last backup', () => {
  expect(told({ freeBytes: 999 })).toEqual([
    'fault space-short 20241122T030000Z-daily: less space is free than the last backup takes up',
  ]);
  expect(told({ freeBytes: 1000 })).toEqual([
    'note space-low 20241122T030000Z-daily: less space is free than two like the last backup take up',
  ]);
  expect(told({ freeBytes: undefined })).toEqual([]);
});

it('tells of an unfinished restore, and of backups beside the data', () => {
  expect(told({ unfinishedRestore: true, sameDevice: true })).toEqual([
    'fault restore-unfinished: nothing is backed up until `bkp restore --recover` has been run',
    'note same-device: the backups lie on the same device as the data: if it fails, both are lost',
  ]);
  expect(told({ sameDevice: undefined })).toEqual([]);
});
