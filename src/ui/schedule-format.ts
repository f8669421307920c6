import type { Schedule } from '../policy/schedule.js';
import { retentionOf } from '../policy/schedule.js';
import { keepRuleNames, keepRules } from '../policy/retention-policy.js';

/** When a schedule is due, in words: `daily at 03:30`, `weekly on sun at 04:00, Europe/Berlin`. */
export function timingText({ frequency, timeOfDay, dayOfWeek, dayOfMonth, timezone }: Schedule): string {
  const zone = timezone === null ? '' : `, ${timezone}`;
  switch (frequency) {
    case 'hourly':
      return `hourly at minute ${timeOfDay.slice(3)}${zone}`;
    case 'daily':
      return `daily at ${timeOfDay}${zone}`;
    case 'weekly':
      return `weekly on ${dayOfWeek ?? 'mon'} at ${timeOfDay}${zone}`;
    case 'monthly':
      return `monthly on ${dayOfMonth ?? 1} at ${timeOfDay}${zone}`;
  }
}

/** What stays: `7`, `7, weekly 4`. */
export function keepText(schedule: Schedule): string {
  const { policy } = retentionOf(schedule);
  return keepRuleNames
    .flatMap((rule) => {
      const count = policy[rule];
      if (count === undefined) return [];
      return [rule === 'keepLast' ? String(count) : `${keepRules[rule]} ${count}`];
    })
    .join(', ');
}
