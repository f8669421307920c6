import { timestamp } from '../base/clock.js';
import type { Schedule } from '../policy/schedule.js';
import { nextSlot } from '../policy/slots.js';
import type { ScheduleFields } from './json-lines/schedule.js';

/** A schedule's definition as `--json` tells it. */
export function scheduleFields(schedule: Schedule, now: number): ScheduleFields {
  const { name, frequency, timeOfDay, dayOfWeek, dayOfMonth, timezone, keep, scopes, project, format } = schedule;
  return {
    name,
    enabled: schedule.enabled,
    frequency,
    timeOfDay,
    dayOfWeek,
    dayOfMonth,
    timezone,
    keep,
    scopes,
    project,
    format,
    options: { ...schedule.options },
    next: schedule.enabled ? timestamp(nextSlot(schedule, now)) : null,
  };
}
