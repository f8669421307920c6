import { isFuture } from './future.js';
import type { Schedule } from './schedule.js';

/**
 * One run of a schedule, by the catalogue or by an archive's id; it may be there twice. A run that was turned away before it
 * began (the lock held by another, an unfinished restore) is none; one that was killed is `failed`.
 */
export interface ScheduleRun {
  /** When it began, milliseconds since 1970. */
  readonly start: number;
  readonly outcome: 'complete' | 'incomplete' | 'failed';
}

export interface PastRuns<T> {
  readonly past: readonly T[];
  /** Runs dated in the future: a clock was wrong. They count for nothing, else they could stop a schedule for years. */
  readonly ahead: readonly T[];
}

export function splitAhead<T extends ScheduleRun>(runs: readonly T[], now: number): PastRuns<T> {
  return {
    past: runs.filter(({ start }) => !isFuture(start, now)),
    ahead: runs.filter(({ start }) => isFuture(start, now)),
  };
}

/**
 * The instant from which on a schedule's slots count: when it was last edited, or made. A date in the future counts for
 * nothing.
 */
export function countsFrom({ createdAt, updatedAt }: Schedule, now: number): number {
  return Math.max(...[0, createdAt, updatedAt].filter((time) => !isFuture(time, now)));
}
