import type { Period } from './periods.js';
import type { Zone } from './time-zone.js';

/** What a rule counts: backups, or periods of the calendar of which the newest backup counts. */
export const keepRules = {
  keepLast: 'last',
  keepHourly: 'hourly',
  keepDaily: 'daily',
  keepWeekly: 'weekly',
  keepMonthly: 'monthly',
  keepYearly: 'yearly',
} as const satisfies Record<string, Period | 'last'>;
export type KeepRule = keyof typeof keepRules;
export const keepRuleNames = Object.keys(keepRules) as readonly KeepRule[];

/** How many each rule keeps, at least one; a backup stays if any of them keeps it. */
export type RetentionPolicy = { readonly [rule in KeepRule]?: number };

/** What becomes of the backups of one schedule. */
export interface Retention {
  readonly policy: RetentionPolicy;
  /** Where its hours, days, weeks, months and years are told. */
  readonly timezone: Zone;
}

/** More is a typing error; and it stands for "all of them". */
export const mostKept = 9999;
export const keepCount = `a whole number from 1 to ${mostKept}`;

/** Zero is no count either: the newest complete backup of a schedule always stays, and "none" may not look like a rule. */
export function isKeepCount(raw: unknown): raw is number {
  return typeof raw === 'number' && Number.isInteger(raw) && raw >= 1 && raw <= mostKept;
}
