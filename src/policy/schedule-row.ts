import { mustBe } from '../base/must-be.js';
import type { Schedule, ScheduleFault } from './schedule.js';
import { parseScheduleOptions } from './schedule-options.js';
import {
  dayOfMonthRule,
  dayOfWeekRule,
  enabledRule,
  formatRule,
  frequencyRule,
  instantRule,
  keepRule,
  nameRule,
  projectRule,
  scopesRule,
  timeOfDayRule,
  timezoneRule,
  type ValueRule,
} from './schedule-values.js';

export type ParsedSchedule =
  | { readonly ok: true; readonly schedule: Schedule }
  | {
      readonly ok: false;
      /** Undefined where the row has no name that a schedule could have. */
      readonly name: string | undefined;
      readonly faults: readonly ScheduleFault[];
    };

/**
 * A row of `backup_schedule`, or an object of `schedules.json` with the same names: a definition, or all its faults. Other
 * programs write these, so that spellings they are likely to use are read where they can mean one thing only:
 *
 * - capital letters in `frequency`, `day_of_week` and `format`; `tgz` for `tar.gz`;
 * - `3:30` and `03:30:00` for `03:30`;
 * - `mon`, `monday` or 1 to 7 from Monday (0 is Sunday to some and Monday to others: a fault);
 * - whole numbers and `enabled` as text; true and false for 1 and 0;
 * - `scopes` as words with commas between, or as a JSON list;
 * - dates as RFC 3339 or `2026-11-22 14:30:00`, in UTC where they name no zone;
 * - NULL or an empty text where nothing is said: no day is Monday or the first, no zone is the system's, no `scopes`,
 *   `project`, `format` or `options` is what the configuration says.
 *
 * A day that the frequency does not use is not looked at. Columns not named here are the application's own. Nothing that a
 * column can hold makes this throw.
 */
export function parseSchedule(row: unknown): ParsedSchedule {
  const columns = new Map<string, unknown>(typeof row === 'object' && row !== null ? Object.entries(row) : []);
  const faults: ScheduleFault[] = [];
  const must = <T>(column: string, { what, read }: ValueRule<T>): T | undefined => {
    const raw = columns.get(column);
    const value = read(raw);
    if (value === undefined) faults.push({ at: column, says: mustBe(what, raw) });
    return value;
  };
  const isOpen = (column: string): boolean => columns.get(column) === '' || (columns.get(column) ?? null) === null;
  const may = <T>(column: string, rule: ValueRule<T>): T | null | undefined =>
    isOpen(column) ? null : must(column, rule);
  const options = isOpen('options') ? { options: {}, faults: [] } : parseScheduleOptions(columns.get('options'));
  const name = must('name', nameRule);
  const frequency = must('frequency', frequencyRule);
  const parsed = {
    name,
    frequency,
    timeOfDay: must('time_of_day', timeOfDayRule),
    dayOfWeek: frequency === 'weekly' ? may('day_of_week', dayOfWeekRule) : null,
    dayOfMonth: frequency === 'monthly' ? may('day_of_month', dayOfMonthRule) : null,
    timezone: may('timezone', timezoneRule),
    keep: must('keep', keepRule),
    scopes: may('scopes', scopesRule),
    project: may('project', projectRule),
    format: may('format', formatRule),
    options: options.options,
    enabled: must('enabled', enabledRule),
    createdAt: must('created_at', instantRule),
    updatedAt: must('updated_at', instantRule),
  };
  faults.push(...options.faults);
  if (parsed.format === 'tar.gz' && parsed.options.encrypt === true) {
    faults.push({ at: 'options.encrypt', says: 'needs the format zip: a tar.gz cannot be encrypted' });
  }
  return faults.length === 0 && isWhole(parsed) ? { ok: true, schedule: parsed } : { ok: false, name, faults };
}

/** Every rule that gave no value has left a fault. */
function isWhole<T extends object>(parsed: T): parsed is { [key in keyof T]: Exclude<T[key], undefined> } & T {
  return Object.values(parsed).every((value) => value !== undefined);
}
