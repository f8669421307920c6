import type { Timing } from '../../src/policy/schedule.js';

/** Daily at 03:30 in Berlin, but for what is said. */
export const timing = (fields: Partial<Timing> = {}): Timing => ({
  frequency: 'daily',
  timeOfDay: '03:30',
  dayOfWeek: null,
  dayOfMonth: null,
  timezone: 'Europe/Berlin',
  ...fields,
});
