import { dayOf, firstDayOf, monthOf, weekdayOf } from './periods.js';
import { weekdays, type Timing } from './schedule.js';
import { day, hour, instantOf, offsetAt, wallTime } from './time-zone.js';

/**
 * Slots are the instants at which a schedule is due, milliseconds since 1970.
 *
 * Daily, weekly and monthly ones follow the clock on the wall: in an hour that is repeated it is the first pass, and where
 * the clock skips that time (or the whole day) it is the end of the gap. The 29th to 31st are the last day of a shorter
 * month. Hourly ones are every instant at which the clock shows that minute: each real hour has one, the repeated one too,
 * the skipped one none. (Where clocks move by half an hour, two are once 30 and once 90 minutes apart.)
 */

/** The first slot after an instant. */
export function nextSlot(timing: Timing, after: number): number {
  return Math.min(...slotsNear(timing, after).filter((slot) => slot > after));
}

/** The last slot at or before an instant: what a run that starts then fills. */
export function latestSlot(timing: Timing, at: number): number {
  return Math.max(...slotsNear(timing, at).filter((slot) => slot <= at));
}

/** Slots around an instant, at least one before it and one after it; unordered. */
function slotsNear(timing: Timing, instant: number): readonly number[] {
  if (timing.frequency === 'hourly') return hourlySlotsNear(timing, instant);
  const { timezone } = timing;
  const wall = wallTime(timezone, instant);
  const days = timing.frequency === 'monthly' ? monthDaysNear(timing, wall) : weekDaysNear(timing, wall);
  return days.map((each) => instantOf(timezone, each * day + minutesOf(timing) * minute));
}

const minute = 60_000;

/** Minutes since midnight. */
function minutesOf({ timeOfDay }: Timing): number {
  return Number(timeOfDay.slice(0, 2)) * 60 + Number(timeOfDay.slice(3));
}

/**
 * The days of daily and weekly slots. A clock that is set back over midnight shows yesterday once more, after today's slot:
 * the next one is then that of the day after tomorrow.
 */
function weekDaysNear({ frequency, dayOfWeek }: Timing, wall: number): readonly number[] {
  const today = dayOf(wall);
  if (frequency === 'daily') return around(today, 2);
  const wanted = weekdays.indexOf(dayOfWeek ?? 'mon') + 1;
  return around(today, 8).filter((each) => weekdayOf(each) === wanted);
}

function monthDaysNear({ dayOfMonth }: Timing, wall: number): readonly number[] {
  return around(monthOf(wall), 2).map((month) => {
    const last = firstDayOf(month + 1) - 1;
    return Math.min(firstDayOf(month) + (dayOfMonth ?? 1) - 1, last);
  });
}

/** What the clock shows where it is ahead of UTC as it is before or after the instant; kept where it shows it indeed. */
function hourlySlotsNear(timing: Timing, instant: number): readonly number[] {
  const minutes = (minutesOf(timing) % 60) * minute;
  return [-2, 2].flatMap((hours) => {
    const offset = offsetAt(timing.timezone, instant + hours * hour);
    const thisHour = Math.floor((instant + offset) / hour);
    return around(thisHour, 2)
      .map((each) => each * hour + minutes - offset)
      .filter((slot) => offsetAt(timing.timezone, slot) === offset);
  });
}

function around(middle: number, each: number): readonly number[] {
  return Array.from({ length: 2 * each + 1 }, (_, index) => middle - each + index);
}
