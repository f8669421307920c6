import { countsFrom, splitAhead, type ScheduleRun } from './run-history.js';
import type { Schedule } from './schedule.js';
import { latestSlot, nextSlot } from './slots.js';

const minute = 60_000;

/** After a failure, how long until a slot is tried again: four attempts at most, then the next slot. Milliseconds. */
export const retryPauses: readonly number[] = [10 * minute, 30 * minute, 120 * minute];

interface DueNow {
  readonly due: true;
  /** The slot that a run now fills. */
  readonly slot: number;
  /** 1, or more after failures. */
  readonly attempt: number;
}

interface NotDue {
  readonly due: false;
  /**
   * `disabled`; `new`: no slot since it was made or edited; `filled`: a run has filled the slot; `waiting` to try again;
   * `given-up`: tried often enough.
   */
  readonly why: 'disabled' | 'new' | 'filled' | 'waiting' | 'given-up';
  /** When it will be due next; undefined where it is disabled. */
  readonly next: number | undefined;
}

export type DueDecision = (DueNow | NotDue) & {
  /** Runs that were left out of account because they are dated in the future. */
  readonly ahead: readonly ScheduleRun[];
};

/**
 * Whether a schedule is to run now. Only its latest slot counts: however many were missed, one run makes up for them. An
 * incomplete run fills its slot (what it could not read, it most likely cannot read ten minutes later); a failed one
 * does not. `runs` are those since the latest slot at least, in any order; times are milliseconds since 1970.
 */
export function decideDue(schedule: Schedule, runs: readonly ScheduleRun[], now: number): DueDecision {
  const { past, ahead } = splitAhead(runs, now);
  return { ...decide(schedule, past, now), ahead };
}

function decide(schedule: Schedule, runs: readonly ScheduleRun[], now: number): DueNow | NotDue {
  if (!schedule.enabled) return { due: false, why: 'disabled', next: undefined };
  const slot = latestSlot(schedule, now);
  const next = nextSlot(schedule, now);
  if (slot < countsFrom(schedule, now)) return { due: false, why: 'new', next };
  const since = runs.filter(({ start }) => start >= slot);
  if (since.some(({ outcome }) => outcome !== 'failed')) return { due: false, why: 'filled', next };
  if (since.length === 0) return { due: true, slot, attempt: 1 };
  const pause = retryPauses[since.length - 1];
  if (pause === undefined) return { due: false, why: 'given-up', next };
  const retryAt = Math.max(...since.map(({ start }) => start)) + pause;
  if (now < retryAt) return { due: false, why: 'waiting', next: Math.min(retryAt, next) };
  return { due: true, slot, attempt: since.length + 1 };
}
