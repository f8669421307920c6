import { day, hour } from './time-zone.js';

export type Period = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly';

/**
 * A number that two instants share just when they lie in the same hour, day, week (ISO 8601: from Monday), month or year of
 * the zone; `wall` is what clocks show there at the instant. The two passes of an hour that is repeated are two hours.
 */
export function periodOf(period: Period, instant: number, wall: number): number {
  switch (period) {
    case 'hourly':
      return instant - (wall - Math.floor(wall / hour) * hour);
    case 'daily':
      return dayOf(wall);
    case 'weekly':
      return weekOf(dayOf(wall));
    case 'monthly':
      return monthOf(wall);
    case 'yearly':
      return new Date(wall).getUTCFullYear();
  }
}

/** Days since 1 January 1970. */
export const dayOf = (wall: number): number => Math.floor(wall / day);

/** Weeks since that of 1 January 1970, which was a Thursday. */
const weekOf = (dayNumber: number): number => Math.floor((dayNumber + 3) / 7);

/** 1 (Monday) to 7 (Sunday). */
export const weekdayOf = (dayNumber: number): number => dayNumber + 4 - weekOf(dayNumber) * 7;

/** Months since January of the year 0. */
export function monthOf(wall: number): number {
  const date = new Date(wall);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** The first day of a month, in days since 1 January 1970. */
export function firstDayOf(month: number): number {
  return dayOf(Date.UTC(Math.floor(month / 12), month - Math.floor(month / 12) * 12));
}
