/** The one place that asks what time it is; everything else gets a clock. */
export interface Clock {
  /** Milliseconds since 1970, UTC: wall time, may jump. */
  now(): number;
  /** Milliseconds from an arbitrary origin; never goes back. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/** RFC 3339 in UTC with whole seconds: `2025-10-30T12:00:00Z`. */
export function timestamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/** The times that four digits of a year can write: years 0 to 9999. Milliseconds since 1970. */
const [earliest, latest] = [-62_167_219_200_000, 253_402_300_799_999];

/**
 * An instant for people, everywhere in the same form: the clock on the wall here, to the minute, and how far it is from
 * UTC, which ids are in: `2026-11-29 04:00 UTC+1`. Milliseconds since 1970; `?` for what it cannot write.
 */
export function localTime(milliseconds: number): string {
  const ahead = minutesAhead(milliseconds);
  const wall = milliseconds + ahead * 60_000;
  if (!(wall >= earliest && wall <= latest)) return '?';
  const [hours, minutes] = [Math.floor(Math.abs(ahead) / 60), Math.round(Math.abs(ahead) % 60)];
  const offset = `${ahead < 0 ? '-' : '+'}${hours}${minutes === 0 ? '' : `:${String(minutes).padStart(2, '0')}`}`;
  return `${new Date(wall).toISOString().slice(0, 16).replace('T', ' ')} UTC${ahead === 0 ? '' : offset}`;
}

/** Of this place before UTC. */
const minutesAhead = (milliseconds: number): number => -new Date(milliseconds).getTimezoneOffset();

/** Of the same clock, to the second: `04:00:07`. */
export function localSeconds(milliseconds: number): string {
  return new Date(milliseconds + minutesAhead(milliseconds) * 60_000).toISOString().slice(11, 19);
}

/** A time that was recorded as RFC 3339, for people; as it is where it is none. */
export function recordedTime(text: string): string {
  const time = Date.parse(text);
  return Number.isNaN(time) ? text : localTime(time);
}
