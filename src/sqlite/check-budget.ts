/** What the examination of one database may cost. It cannot be interrupted, and a small hostile file can make it endless. */
export interface CheckBudget {
  /** Milliseconds any database is given. */
  readonly base: number;
  /** What is given on top: far below what disks and SQLite's checks do (measured: above 100 MiB/s). */
  readonly bytesPerSecond: number;
}

export const defaultCheckBudget: CheckBudget = { base: 60_000, bytesPerSecond: 20 * 1024 * 1024 };

/** The longest time a timer takes. */
const maxTimer = 2 ** 31 - 1;

/** Milliseconds for a database of so many bytes. */
export function timeFor({ base, bytesPerSecond }: CheckBudget, bytes: number): number {
  return Math.min(maxTimer, Math.ceil(base + (bytes / bytesPerSecond) * 1000));
}
