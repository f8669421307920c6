import { formatBytes } from '../base/amounts.js';
import { BkpError } from '../base/errors.js';

const MiB = 1024 * 1024;

/**
 * Bytes per second a pinned database is assumed to be copied at, its sync included. Measured on a two-core virtual machine
 * under load: 220 to 720 MiB/s with large steps, from cold caches 400 to 670 MiB/s; a slow disk is the reason for the margin.
 */
export const copySpeed = 100 * MiB;

/** Milliseconds that writers of rollback-journal databases wait while `bytes` are copied. */
export function estimatePause(bytes: number): number {
  return (bytes / copySpeed) * 1000;
}

export interface PausingDatabase {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Refuses a copy that would keep an application from writing for longer than it may. Databases with a rollback journal are
 * copied one after the other while writers of all of them may be waiting, so their sizes add up.
 */
export function refuseLongPause(databases: readonly PausingDatabase[], maxPause: number): void {
  const estimate = estimatePause(databases.reduce((sum, { bytes }) => sum + bytes, 0));
  const largest = databases.reduce<PausingDatabase | undefined>(
    (most, one) => (most === undefined || one.bytes > most.bytes ? one : most),
    undefined,
  );
  if (largest === undefined || estimate <= maxPause) return;
  const others = databases.length === 1 ? '' : ` and ${databases.length - 1} more`;
  throw new BkpError(
    'needs-wal-or-quiesce',
    `copying ${largest.path} (${formatBytes(largest.bytes)}, rollback journal)${others} would keep applications from writing ` +
      `for about ${seconds(estimate)}, longer than maxPause (${seconds(maxPause)})`,
    {
      path: largest.path,
      hint: 'Switch the database to WAL (PRAGMA journal_mode=WAL), allow a longer maxPause, or stop the application for the time of the backup.',
    },
  );
}

/** For a database that stayed locked by somebody else until the deadline (milliseconds). */
export function locksNotHad(file: { readonly path: string; readonly size: number }, deadline: number): BkpError {
  return new BkpError(
    'needs-wal-or-quiesce',
    `${file.path} (${formatBytes(file.size)}, to be copied in about ${seconds(estimatePause(file.size))}) stayed locked by another ` +
      `program: the locks of all databases were not had at once within ${seconds(deadline)}`,
    {
      path: file.path,
      hint: 'Another program keeps a transaction open on it: end that, or stop the application for the time of the backup.',
    },
  );
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
