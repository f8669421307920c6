import { parseSchedule, type ParsedSchedule } from '../../src/policy/schedule-row.js';
import type { Schedule } from '../../src/policy/schedule.js';

/** A row as the application's page writes it: daily at 03:30 in Berlin, but for what is said. */
export const row = (fields: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> => ({
  name: 'nightly',
  frequency: 'daily',
  time_of_day: '03:30',
  day_of_week: null,
  day_of_month: null,
  timezone: 'Europe/Berlin',
  keep: 7,
  scopes: null,
  project: null,
  format: null,
  options: null,
  enabled: 1,
  created_at: '2024-01-01T00:00:00Z',
  updated_at: '2024-01-01T00:00:00Z',
  ...fields,
});

export function schedule(fields: Partial<Schedule> = {}): Schedule {
  const parsed = parseSchedule(row());
  if (!parsed.ok) throw new TypeError(faultText(parsed).join('\n'));
  return { ...parsed.schedule, ...fields };
}

export const faultText = (parsed: ParsedSchedule): readonly string[] =>
  parsed.ok ? [] : parsed.faults.map(({ at, says }) => `${at} ${says}`);
