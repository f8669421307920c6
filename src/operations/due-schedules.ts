import type { Catalog } from '../catalog/catalog.js';
import { decideDue } from '../policy/due.js';
import type { Schedule } from '../policy/schedule.js';
import type { ListedBackup } from './list-backups.js';
import { scheduleRuns } from './schedule-runs.js';

/** A schedule that is to run now. */
export interface DueSchedule {
  readonly schedule: Schedule;
  /** Milliseconds since 1970. */
  readonly slot: number;
  /** 1, or more after failures. */
  readonly attempt: number;
}

export interface DueRequest {
  readonly instance: string;
  readonly schedules: readonly Schedule[];
  readonly backups: readonly ListedBackup[];
  readonly catalog: Catalog | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Those whose slot is not filled yet, the longest due first. */
export function dueSchedules({ instance, schedules, backups, catalog, now }: DueRequest): readonly DueSchedule[] {
  const due = schedules.flatMap((schedule) => {
    const decision = decideDue(schedule, scheduleRuns(schedule.name, instance, { catalog, backups }), now);
    return decision.due ? [{ schedule, slot: decision.slot, attempt: decision.attempt }] : [];
  });
  return due.toSorted((a, b) => a.slot - b.slot);
}
