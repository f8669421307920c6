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

/** An instant as the clock on the wall of a zone (null: the system's) shows it, to the minute: `Sun 2026-11-29 04:00 GMT+1`. */
export function slotText(instant: number, timezone: string | null): string {
  const parts = new Intl.DateTimeFormat('en-US', {
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'shortOffset',
    ...(timezone === null ? {} : { timeZone: timezone }),
  }).formatToParts(instant);
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.find((one) => one.type === type)?.value ?? '';
  const date = `${part('year')}-${part('month')}-${part('day')}`;
  return `${part('weekday')} ${date} ${part('hour')}:${part('minute')} ${part('timeZoneName')}`;
}
