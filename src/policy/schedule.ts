import type { Container } from '../archive/archive.js';
import type { Retention, RetentionPolicy } from './retention-policy.js';
import type { Zone } from './time-zone.js';

export const frequencies = ['hourly', 'daily', 'weekly', 'monthly'] as const;
export type Frequency = (typeof frequencies)[number];

/** In the order of ISO 8601. */
export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof weekdays)[number];

/** When a schedule is due, by the clock on the wall of its zone. */
export interface Timing {
  readonly frequency: Frequency;
  /** `HH:MM`; of an hourly schedule only the minutes count. */
  readonly timeOfDay: string;
  /** Of a weekly schedule; null is Monday. */
  readonly dayOfWeek: Weekday | null;
  /** Of a monthly schedule, 1 to 31: in a shorter month its last day; null is the first. */
  readonly dayOfMonth: number | null;
  readonly timezone: Zone;
}

/** Flags of `create` that a schedule may carry beyond its columns, and what it keeps beyond its newest ones. */
export interface ScheduleOptions extends Omit<RetentionPolicy, 'keepLast'> {
  /** Undefined: as the configuration says. */
  readonly encrypt?: boolean;
  readonly hint?: string;
  readonly comment?: string;
  readonly level?: number;
  readonly exclude?: readonly string[];
}

/** A row of `backup_schedule`, checked; null is what the row leaves open. */
export interface Schedule extends Timing {
  readonly name: string;
  /** How many of its newest complete backups stay; at least one. */
  readonly keep: number;
  readonly scopes: readonly string[] | null;
  /** The only folder of `snapshots/` that is backed up. */
  readonly project: string | null;
  readonly format: Container | null;
  readonly options: ScheduleOptions;
  readonly enabled: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** One thing wrong with a definition: `at` is a column (`options.level` is in one), `says` goes on after it. */
export interface ScheduleFault {
  readonly at: string;
  readonly says: string;
}

const namePattern = /^[a-z][a-z0-9-]{0,31}$/;
/** Origins of backups that no schedule makes, and what a user calls the newest one. */
const reservedNames: readonly string[] = ['manual', 'safety', 'latest'];

export function isScheduleName(name: string): boolean {
  return namePattern.test(name) && !reservedNames.includes(name);
}

/** What `keep` and the options say about keeping, with the zone in which their days are told. */
export function retentionOf({ keep, options, timezone }: Schedule): Retention {
  return { policy: { ...options, keepLast: keep }, timezone };
}
