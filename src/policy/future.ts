/**
 * Clocks of machines that share a storage differ, and a backup that finds its second taken is dated some seconds ahead.
 * Milliseconds.
 */
export const clockTolerance = 10 * 60 * 1000;

/** Dated later than any honest clock would: this one or that one was wrong. Times are milliseconds since 1970. */
export function isFuture(time: number, now: number): boolean {
  return time > now + clockTolerance;
}
