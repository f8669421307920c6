import { BkpError } from '../base/errors.js';
import type { UntypedRow } from '../base/schedule-row.js';
import type { Retention, RetentionPolicy } from '../policy/retention-policy.js';
import { retentionOf, type Schedule, type ScheduleFault } from '../policy/schedule.js';
import { parseSchedule } from '../policy/schedule-row.js';

/** A row that cannot be used, and why. */
export interface InvalidSchedule {
  /** Undefined where the row has no name that a schedule could have. */
  readonly name: string | undefined;
  readonly faults: readonly ScheduleFault[];
}

/** All schedules of an instance: one that is nonsense does not keep the others from running. */
export interface Schedules {
  /** Sorted by name. */
  readonly valid: readonly Schedule[];
  readonly invalid: readonly InvalidSchedule[];
}

export function parseSchedules(rows: readonly UntypedRow[]): Schedules {
  const parsed = rows.map((row) => parseSchedule(row));
  const valid = parsed.flatMap((one) => (one.ok ? [one.schedule] : []));
  return {
    valid: valid.sort((a, b) => (a.name < b.name ? -1 : 1)),
    invalid: parsed.flatMap((one) => (one.ok ? [] : [{ name: one.name, faults: one.faults }])),
  };
}

/**
 * What each schedule keeps; undefined where its row cannot be read. `defaults`: rules of the configuration, for what a schedule
 * says nothing of.
 */
export function retentionsOf(
  { valid, invalid }: Schedules,
  defaults: RetentionPolicy = {},
): ReadonlyMap<string, Retention | undefined> {
  const whole = ({ policy, timezone }: Retention): Retention => ({ policy: { ...defaults, ...policy }, timezone });
  return new Map<string, Retention | undefined>([
    ...invalid.flatMap(({ name }) => (name === undefined ? [] : [[name, undefined] as const])),
    ...valid.map((schedule) => [schedule.name, whole(retentionOf(schedule))] as const),
  ]);
}

/** As a message shows it. */
export const faultText = (faults: readonly ScheduleFault[]): string =>
  faults.map(({ at, says }) => `${at} ${says}`).join('; ');

/** The schedule of that name. Throws `schedule-not-found`, or `schedules-invalid` where its row cannot be used. */
export function theSchedule({ valid, invalid }: Schedules, name: string, location: string): Schedule {
  const found = valid.find((schedule) => schedule.name === name);
  if (found !== undefined) return found;
  const broken = invalid.find((one) => one.name === name);
  if (broken !== undefined) {
    throw new BkpError('schedules-invalid', `the schedule ${name} cannot be used: ${faultText(broken.faults)}`, {
      path: location,
      hint: `Mend the row in ${location}, or set it anew: bkp schedule set ${name} …`,
    });
  }
  throw scheduleNotFound(name, valid, location);
}

export function scheduleNotFound(
  name: string,
  known: readonly { readonly name: string }[],
  location: string,
): BkpError {
  const names = known.map((one) => one.name).join(', ');
  const hint = names === '' ? '`bkp schedule set <name> --every daily --at 03:30` makes one.' : `There are: ${names}.`;
  return new BkpError('schedule-not-found', `there is no schedule ${name} in ${location}`, { path: location, hint });
}
