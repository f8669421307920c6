import { expect, it } from 'vitest';
import { overdueSince } from '../../src/policy/overdue.js';
import type { ScheduleRun } from '../../src/policy/run-history.js';
import type { Schedule } from '../../src/policy/schedule.js';
import { utc } from './golden.js';
import { schedule } from './schedules.js';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const slot = utc('2024-11-22T02:30:00Z');
const run = (start: number, outcome: ScheduleRun['outcome'] = 'complete'): ScheduleRun => ({ start, outcome });

function overdue(now: number, runs: readonly ScheduleRun[], fields: Partial<Schedule> = {}): string | undefined {
  const since = overdueSince(schedule(fields), runs, now);
  return since === undefined ? undefined : new Date(since).toISOString().slice(0, 16);
}

it('a daily schedule is overdue six hours after a slot that no complete backup fills', () => {
  const yesterday = [run(slot - day + minute)];
  expect(overdue(slot + 6 * hour - 1, yesterday)).toBeUndefined();
  expect(overdue(slot + 6 * hour, yesterday)).toBe('2024-11-22T02:30');
  expect(overdue(slot + 6 * hour, [...yesterday, run(slot + 5 * hour)])).toBeUndefined();
});

it('an hourly one is overdue an hour after, although another slot has begun by then', () => {
  const hourly = { frequency: 'hourly' } as const;
  expect(overdue(slot + hour - 1, [run(slot - hour)], hourly)).toBeUndefined();
  expect(overdue(slot + hour, [run(slot - hour)], hourly)).toBe('2024-11-22T02:30');
  expect(overdue(slot + 30 * hour, [run(slot - hour)], hourly)).toBe('2024-11-22T02:30');
  expect(overdue(slot + hour, [run(slot)], hourly)).toBeUndefined();
});

it('is told from the first slot that was missed', () => {
  expect(overdue(slot + 10 * day, [run(slot + minute)])).toBe('2024-11-23T02:30');
  expect(overdue(slot, [], { createdAt: slot - 5 * day, updatedAt: slot - 5 * day })).toBe('2024-11-17T02:30');
});

it('is not ended by runs that failed, were incomplete or are dated in the future', () => {
  const others = [run(slot, 'failed'), run(slot + minute, 'incomplete'), run(slot + 100 * day)];
  expect(overdue(slot + 7 * hour, others)).toBe('2024-01-01T02:30');
});

it('is not said of slots before a schedule was made or edited, or while it is disabled', () => {
  expect(overdue(slot + 7 * hour, [], { updatedAt: slot + 1 })).toBeUndefined();
  expect(overdue(slot + 7 * hour, [], { updatedAt: slot })).toBe('2024-11-22T02:30');
  expect(overdue(slot + 7 * hour, [], { enabled: false })).toBeUndefined();
});

it('is known of weekly and monthly ones the same day', () => {
  const weekly = { frequency: 'weekly', dayOfWeek: 'fri' } as const;
  expect(overdue(slot + 6 * hour, [run(slot - 7 * day)], weekly)).toBe('2024-11-22T02:30');
  const monthly = { frequency: 'monthly', dayOfMonth: 22 } as const;
  expect(overdue(slot + 6 * hour, [run(slot - 31 * day)], monthly)).toBe('2024-11-22T02:30');
});
