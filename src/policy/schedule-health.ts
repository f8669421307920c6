import { decideDue } from './due.js';
import { overdueSince } from './overdue.js';
import { splitAhead, type ScheduleRun } from './run-history.js';
import type { Schedule } from './schedule.js';

/** How a schedule has fared; times are milliseconds since 1970. */
export interface ScheduleHealth {
  readonly name: string;
  readonly enabled: boolean;
  /** When its last run began that made a complete backup. */
  readonly lastGood: number | undefined;
  readonly lastRun: ScheduleRun | undefined;
  /** When it is due next; not later than now where it is due already; undefined where it is disabled. */
  readonly next: number | undefined;
  /** The first slot that lacks a complete backup it should have by now. */
  readonly overdueSince: number | undefined;
}

/** `runs` holds the last complete one, and all since the latest slot, at least. */
export function scheduleHealth(schedule: Schedule, runs: readonly ScheduleRun[], now: number): ScheduleHealth {
  const newestFirst = splitAhead(runs, now).past.toSorted((a, b) => b.start - a.start);
  const due = decideDue(schedule, runs, now);
  return {
    name: schedule.name,
    enabled: schedule.enabled,
    lastGood: newestFirst.find(({ outcome }) => outcome === 'complete')?.start,
    lastRun: newestFirst[0],
    next: due.due ? due.slot : due.next,
    overdueSince: overdueSince(schedule, runs, now),
  };
}
