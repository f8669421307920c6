import { countsFrom, splitAhead, type ScheduleRun } from './run-history.js';
import type { Schedule } from './schedule.js';
import { latestSlot, nextSlot } from './slots.js';
import { hour } from './time-zone.js';

/**
 * How long after its slot a backup may be on its way, retries included, before a schedule is overdue. Not longer for weekly
 * and monthly ones: they are the ones whose absence is noticed last. Milliseconds.
 */
export const graceOf = ({ frequency }: Schedule): number => (frequency === 'hourly' ? hour : 6 * hour);

/**
 * The first slot for which there is no complete backup where there should be one by now; undefined where all is well, or
 * the schedule is disabled. Slots before it was made or edited do not count. `runs` holds the last complete one at least.
 */
export function overdueSince(schedule: Schedule, runs: readonly ScheduleRun[], now: number): number | undefined {
  if (!schedule.enabled) return undefined;
  const from = countsFrom(schedule, now);
  const expected = latestSlot(schedule, now - graceOf(schedule));
  const complete = splitAhead(runs, now).past.filter(({ outcome }) => outcome === 'complete');
  const lastGood = Math.max(...complete.map(({ start }) => start));
  if (expected < from || lastGood >= expected) return undefined;
  // A slot at `from` itself counts.
  return nextSlot(schedule, Math.max(lastGood, from - 1));
}
