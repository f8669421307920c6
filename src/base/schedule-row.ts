/**
 * What a schedule says, as it is stored. Named as in the table `backup_schedule`, which applications may edit with pages of
 * their own; what values mean and which are valid is decided elsewhere.
 */
export interface ScheduleValues {
  readonly name: string;
  readonly frequency: string;
  readonly time_of_day: string;
  readonly day_of_week: string | null;
  readonly day_of_month: number | null;
  readonly timezone: string | null;
  readonly keep: number;
  readonly scopes: string | null;
  readonly project: string | null;
  readonly format: string | null;
  /** JSON for further flags of create. */
  readonly options: string | null;
  readonly enabled: 0 | 1;
}

/** The columns that say what a schedule does; `created_at` and `updated_at` are the store's. */
export const scheduleValueColumns = [
  'name',
  'frequency',
  'time_of_day',
  'day_of_week',
  'day_of_month',
  'timezone',
  'keep',
  'scopes',
  'project',
  'format',
  'options',
  'enabled',
] as const satisfies readonly (keyof ScheduleValues)[];

export const scheduleColumns = [...scheduleValueColumns, 'created_at', 'updated_at'] as const;

export type ScheduleColumn = (typeof scheduleColumns)[number];

/** A schedule as it was found: nobody has looked at its values. A text longer than `maxScheduleText` is U+FFFD alone. */
export type UntypedRow = Readonly<Record<ScheduleColumn, unknown>>;

/** `put` makes a schedule or replaces what one of that name says. */
export type ScheduleChange =
  | { readonly kind: 'put'; readonly row: ScheduleValues }
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'enable'; readonly name: string; readonly enabled: boolean };

/** Of one instance. */
export const maxSchedules = 1000;
/** Bytes. */
export const maxScheduleText = 64 * 1024;
/** What stands for a longer text: no rule takes it for a valid one. */
export const overlongText = '\ufffd';
