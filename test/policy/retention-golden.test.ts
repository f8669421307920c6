import { describe, it } from 'vitest';
import { limitAutomatic } from '../../src/policy/automatic-retention.js';
import type { RetainedBackup } from '../../src/policy/retention.js';
import type { RetentionPolicy } from '../../src/policy/retention-policy.js';
import type { Timing } from '../../src/policy/schedule.js';
import { nextSlot } from '../../src/policy/slots.js';
import { backup, decide, decisionTable, keptOf, policyText } from './backups.js';
import { expectGolden, there, utc } from './golden.js';
import { timing } from './timings.js';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Backups every `step` from `from` until before `to`. */
function series(from: string, to: string, step: number): readonly RetainedBackup[] {
  const [start, end] = [utc(from), utc(to)];
  return Array.from({ length: Math.ceil((end - start) / step) }, (_, index) => backup(start + index * step));
}

interface Scene {
  readonly title: string;
  readonly policy: RetentionPolicy;
  readonly zone: string;
  readonly now: string;
  readonly backups: readonly RetainedBackup[];
}

function sceneText({ title, policy, zone, now, backups }: Scene): readonly string[] {
  const decisions = decide(backups, policy, utc(now), zone);
  return [
    title,
    `policy: ${policyText(policy)}`,
    `now:    ${there(zone, utc(now))} in ${zone}`,
    '',
    ...decisionTable(decisions, (time) => there(zone, time)),
  ];
}

/** Runs at every slot, each followed by what a scheduled run removes, and shows what is there at the end. */
function yearText(when: Timing, policy: RetentionPolicy, from: string, to: string): readonly string[] {
  const zone = when.timezone!;
  let [made, removed] = [0, 0];
  let stored: readonly RetainedBackup[] = [];
  let slot = nextSlot(when, utc(from) - 1);
  for (; slot < utc(to); slot = nextSlot(when, slot)) {
    const all = [...stored, backup(slot + 2 * second)];
    stored = keptOf(limitAutomatic(decide(all, policy, slot + 40 * second, zone)).decisions);
    made += 1;
    removed += all.length - stored.length;
  }
  return [
    `${when.frequency} at ${when.timeOfDay} in ${zone}, from ${from.slice(0, 10)} to ${to.slice(0, 10)}; ${policyText(policy)}`,
    `made ${made}, removed ${removed}, there at the end ${stored.length}:`,
    '',
    ...decisionTable(decide(stored, policy, utc(to), zone), (time) => there(zone, time)),
  ];
}

describe('a year of runs, each pruned after', () => {
  const years: readonly [string, Partial<Timing>, RetentionPolicy][] = [
    [
      'hourly-berlin',
      { frequency: 'hourly', timeOfDay: '00:15' },
      { keepLast: 2, keepHourly: 6, keepDaily: 7, keepWeekly: 4, keepMonthly: 12, keepYearly: 2 },
    ],
    ['daily-new-york', { frequency: 'daily', timeOfDay: '01:30', timezone: 'America/New_York' }, { keepLast: 7 }],
    ['daily-berlin', { frequency: 'daily', timeOfDay: '02:30' }, { keepLast: 3, keepWeekly: 5, keepMonthly: 4 }],
    [
      'weekly-new-york',
      { frequency: 'weekly', dayOfWeek: 'sun', timeOfDay: '02:30', timezone: 'America/New_York' },
      { keepLast: 4, keepMonthly: 6 },
    ],
    ['monthly-berlin', { frequency: 'monthly', dayOfMonth: 31, timeOfDay: '23:59' }, { keepLast: 3, keepYearly: 3 }],
  ];
  it.each(years)('leaves what golden/year-%s.txt shows', (name, when, policy) => {
    const span = ['2023-07-01T00:00:00Z', '2024-07-01T00:00:00Z'] as const;
    expectGolden(`year-${name}`, yearText(timing(when), policy, ...span));
  });
});

describe('a decision', () => {
  const noon = utc('2026-11-22T12:00:00Z');
  const daysAgo = (days: number, fields: Partial<RetainedBackup> = {}): RetainedBackup =>
    backup(noon - days * day - 9 * hour, fields);
  const scenes: Readonly<Record<string, Scene>> = {
    kinds: {
      title:
        'What is there besides complete backups of a schedule: none of it is counted, none of it removed, but old incomplete ones.',
      policy: { keepLast: 3 },
      zone: 'UTC',
      now: '2026-11-22T12:00:00Z',
      backups: [
        daysAgo(-400, {}),
        daysAgo(0),
        daysAgo(1, { status: 'incomplete' }),
        daysAgo(2, { locked: true }),
        daysAgo(3),
        daysAgo(4, { status: 'damaged' }),
        daysAgo(5, { knownBad: true, locked: true }),
        daysAgo(6, { status: 'incomplete' }),
        daysAgo(7),
        daysAgo(8),
        daysAgo(9, { status: 'incomplete' }),
        daysAgo(10, { status: 'unproven' }),
        daysAgo(11, { status: 'unknown' }),
        daysAgo(12, { origin: 'manual' }),
        daysAgo(13, { origin: 'safety' }),
        daysAgo(14, { origin: 'weekly' }),
        daysAgo(15, { origin: undefined, id: 'from-somewhere' }),
        daysAgo(16, { foreign: true, instance: 'other' }),
        daysAgo(17, { instance: undefined }),
        daysAgo(18, { locked: true }),
        daysAgo(19),
      ],
    },
    'repeated-hour': {
      title: 'Clocks go back at 03:00 to 02:00: the hour from 2 to 3 is two hours.',
      policy: { keepHourly: 5 },
      zone: 'Europe/Berlin',
      now: '2024-10-27T03:00:00Z',
      backups: series('2024-10-26T22:00:00Z', '2024-10-27T03:00:00Z', 30 * minute),
    },
    'skipped-hour': {
      title: 'Clocks go forward at 02:00 to 03:00: there is no hour from 2 to 3.',
      policy: { keepHourly: 4, keepDaily: 2 },
      zone: 'America/New_York',
      now: '2024-03-10T09:00:00Z',
      backups: series('2024-03-10T03:30:00Z', '2024-03-10T09:00:00Z', 30 * minute),
    },
    'year-end': {
      title: 'The week of 28 December to 3 January is one week; it ends in another year, month and day.',
      policy: { keepDaily: 2, keepWeekly: 3, keepMonthly: 2, keepYearly: 2 },
      zone: 'America/New_York',
      now: '2021-01-05T12:00:00Z',
      backups: series('2020-12-26T03:30:00Z', '2021-01-05T12:00:00Z', day),
    },
    'leap-day': {
      title: 'The 29th of February is the last day of its month.',
      policy: { keepDaily: 3, keepMonthly: 2 },
      zone: 'Europe/Berlin',
      now: '2024-03-02T12:00:00Z',
      backups: series('2024-02-26T01:30:00Z', '2024-03-02T12:00:00Z', day),
    },
    'clock-ahead': {
      title: 'The clock was a year ahead for three runs. What they made uses no slot: the real backups stay.',
      policy: { keepLast: 3 },
      zone: 'UTC',
      now: '2026-11-22T12:00:00Z',
      backups: [daysAgo(-365), daysAgo(-364), daysAgo(-363), daysAgo(0), daysAgo(1), daysAgo(2), daysAgo(3)],
    },
    'clock-set-back': {
      title: 'The clock was set back by five days: the run that was just made is the newest that counts.',
      policy: { keepLast: 2 },
      zone: 'UTC',
      now: '2026-11-17T03:01:00Z',
      backups: [
        daysAgo(0),
        daysAgo(1),
        daysAgo(2),
        daysAgo(3),
        daysAgo(4),
        backup(utc('2026-11-17T03:00:30Z')),
        daysAgo(6),
      ],
    },
    'two-containers': {
      title: 'One backup in two containers is one backup: it uses one slot.',
      policy: { keepLast: 2 },
      zone: 'UTC',
      now: '2026-11-22T12:00:00Z',
      backups: [daysAgo(1), daysAgo(1), daysAgo(2), daysAgo(3), daysAgo(3), daysAgo(4, { status: 'incomplete' })],
    },
    'a-day-skipped': {
      title: 'Samoa went over the date line: there was no 30 December 2011.',
      policy: { keepDaily: 3 },
      zone: 'Pacific/Apia',
      now: '2012-01-01T12:00:00Z',
      backups: series('2011-12-29T04:00:00Z', '2012-01-01T12:00:00Z', 8 * hour),
    },
  };
  it.each(Object.keys(scenes))('is what golden/%s.txt shows', (name) => {
    expectGolden(name, sceneText(scenes[name]!));
  });

  it('of a scheduled run removes two at most, after keep was lowered: golden/lowered.txt', () => {
    const policy = { keepLast: 3 };
    const lines: string[] = ['keep was 8 and is 3 now: every run adds one and removes two, until three are left.', ''];
    let backups = [8, 7, 6, 5, 4, 3, 2, 1].map((days) => daysAgo(days));
    for (let run = 0; run < 7; run++) {
      backups.push(daysAgo(-run));
      const { decisions, left } = limitAutomatic(decide(backups, policy, noon + run * day));
      lines.push(`run ${run + 1}: ${left} more could be removed`);
      lines.push(...decisionTable(decisions, (time) => there('UTC', time)), '');
      backups = [...keptOf(decisions)];
    }
    expectGolden('lowered', lines.slice(0, -1));
  });
});
