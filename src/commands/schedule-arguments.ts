import type { ScheduleValues } from '../base/schedule-row.js';
import { mustBe } from '../base/must-be.js';
import { parseSchedule } from '../policy/schedule-row.js';
import { isScheduleName, type Schedule, type ScheduleFault } from '../policy/schedule.js';
import { faultText } from '../operations/schedules.js';
import { timestamp } from '../base/clock.js';
import { namesOf, usageError } from './usage.js';

/** The flags of `schedule set`. */
export interface ScheduleSetOptions {
  readonly every?: string;
  readonly at?: string;
  readonly on?: string;
  readonly timezone?: string;
  readonly keep?: string;
  readonly keepHourly?: string;
  readonly keepDaily?: string;
  readonly keepWeekly?: string;
  readonly keepMonthly?: string;
  readonly keepYearly?: string;
  readonly scopes?: readonly string[];
  readonly project?: string;
  readonly format?: string;
  readonly level?: string;
  readonly exclude?: readonly string[];
  readonly comment?: string;
  readonly encrypt?: boolean;
  readonly hint?: string;
  readonly disabled?: boolean;
}

const keepFlags = ['keepHourly', 'keepDaily', 'keepWeekly', 'keepMonthly', 'keepYearly'] as const;
const defaultKeep = 7;

/**
 * What is to be stored under a name: what was there (where it could be read), with what the flags change. Throws `usage` with
 * every fault. `now`: milliseconds since 1970.
 */
export function scheduleValues(
  name: string,
  options: ScheduleSetOptions,
  before: Schedule | undefined,
  now: number,
): ScheduleValues {
  if (!isScheduleName(name)) {
    throw usageError(
      `${JSON.stringify(name)} cannot be the name of a schedule`,
      'Use a to z, 0 to 9 and hyphens, beginning with a letter, 32 at most; manual, safety and latest are taken.',
    );
  }
  const values = merged(name, options, before);
  const parsed = parseSchedule({ ...values, created_at: timestamp(now), updated_at: timestamp(now) });
  if (!parsed.ok) throw usageError(`the schedule cannot be set so: ${faultText(byFlag(parsed.faults))}`, hint);
  return values;
}

/** Who sets a schedule has typed flags, and need not know the columns they become. */
const flagNames: Readonly<Record<string, string>> = {
  frequency: '--every',
  time_of_day: '--at',
  day_of_week: '--on',
  day_of_month: '--on',
};

const byFlag = (faults: readonly ScheduleFault[]): readonly ScheduleFault[] =>
  faults.map(({ at, says }) => ({ at: flagNames[at] ?? kebab(`--${at.replace(/^options\./, '')}`), says }));

const hint = 'As in: bkp schedule set daily --every daily --at 03:30 --keep 7';

function merged(name: string, options: ScheduleSetOptions, before: Schedule | undefined): ScheduleValues {
  const frequency = options.every ?? before?.frequency;
  if (frequency === undefined) throw usageError('a new schedule needs --every', hint);
  return {
    ...(before === undefined ? freshValues(name, frequency) : valuesOf(before)),
    frequency,
    ...dayOf(options.on, frequency, before),
    ...givenValues(options),
    options: optionsText(options, before),
  };
}

function freshValues(name: string, frequency: string): ScheduleValues {
  return {
    name,
    frequency,
    time_of_day: frequency === 'hourly' ? '00:00' : '03:30',
    day_of_week: null,
    day_of_month: null,
    timezone: null,
    keep: defaultKeep,
    scopes: null,
    project: null,
    format: null,
    options: null,
    enabled: 1,
  };
}

function valuesOf(schedule: Schedule): ScheduleValues {
  const { name, frequency, timeOfDay, dayOfWeek, dayOfMonth, timezone, keep, scopes, project, format } = schedule;
  return {
    name,
    frequency,
    time_of_day: timeOfDay,
    day_of_week: dayOfWeek,
    day_of_month: dayOfMonth,
    timezone,
    keep,
    scopes: scopes === null ? null : scopes.join(','),
    project,
    format,
    options: null,
    enabled: schedule.enabled ? 1 : 0,
  };
}

/** Only what was given. */
function givenValues(options: ScheduleSetOptions): Partial<ScheduleValues> {
  const { at, timezone, keep, project, format, disabled } = options;
  const scopes = namesOf(options.scopes, '--scopes');
  return {
    ...(at === undefined ? {} : { time_of_day: at }),
    ...(timezone === undefined ? {} : { timezone }),
    ...(keep === undefined ? {} : { keep: whole(keep, '--keep') }),
    ...(scopes === undefined ? {} : { scopes: scopes.join(',') }),
    ...(project === undefined ? {} : { project }),
    ...(format === undefined ? {} : { format }),
    ...(disabled === undefined ? {} : { enabled: disabled ? 0 : 1 }),
  };
}

/** `--on` is a weekday or a day of the month, as the frequency has it. */
function dayOf(
  on: string | undefined,
  frequency: string,
  before: Schedule | undefined,
): Pick<ScheduleValues, 'day_of_week' | 'day_of_month'> {
  if (on === undefined) {
    const same = before?.frequency === frequency ? before : undefined;
    return { day_of_week: same?.dayOfWeek ?? null, day_of_month: same?.dayOfMonth ?? null };
  }
  if (frequency === 'weekly') return { day_of_week: on, day_of_month: null };
  if (frequency === 'monthly') return { day_of_week: null, day_of_month: whole(on, '--on') };
  throw usageError(`--on ${on} says nothing for a schedule that is ${frequency}`, 'It is for weekly and monthly ones.');
}

function optionsText(options: ScheduleSetOptions, before: Schedule | undefined): string | null {
  const { level, exclude, comment, encrypt } = options;
  const given = {
    ...(level === undefined ? {} : { level: whole(level, '--level') }),
    ...(exclude === undefined ? {} : { exclude }),
    ...(comment === undefined ? {} : { comment }),
    ...(encrypt === undefined ? {} : { encrypt }),
    ...(options.hint === undefined ? {} : { hint: options.hint }),
    ...Object.fromEntries(
      keepFlags.flatMap((flag) => {
        const count = options[flag];
        return count === undefined ? [] : [[flag, whole(count, `--${flag}`)] as const];
      }),
    ),
  };
  const all = { ...before?.options, ...given };
  return Object.keys(all).length === 0 ? null : JSON.stringify(all);
}

function whole(text: string, flag: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw usageError(`${kebab(flag)} ${mustBe('a whole number', text)}`, hint);
}

const kebab = (flag: string): string => flag.replace(/(?<=[a-z])[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
