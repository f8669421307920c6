import { errorText, systemCode } from '../base/errors.js';

/** What an error of SQLite means for a database. */
export type Fault =
  /** Another connection is in the way: worth another try. */
  | 'busy'
  /** It cannot be opened, recovered or locked with the permissions at hand. */
  | 'no-access'
  | 'damaged'
  | 'full'
  /** Reading or writing failed; the code alone does not say which file. */
  | 'io'
  | 'other';

// By prefix: extended codes (SQLITE_BUSY_SNAPSHOT, SQLITE_READONLY_ROLLBACK, …) mean the same here.
const faults: readonly (readonly [prefix: string, fault: Fault])[] = [
  ['SQLITE_BUSY', 'busy'],
  ['SQLITE_LOCKED', 'busy'],
  ['SQLITE_PROTOCOL', 'busy'],
  ['SQLITE_READONLY', 'no-access'],
  ['SQLITE_CANTOPEN', 'no-access'],
  ['SQLITE_PERM', 'no-access'],
  ['SQLITE_CORRUPT', 'damaged'],
  ['SQLITE_NOTADB', 'damaged'],
  ['SQLITE_FULL', 'full'],
  ['SQLITE_IOERR', 'io'],
];

/** Undefined where the error is not one of SQLite's (a bug, or a failing system call). */
export function sqliteFault(error: unknown): Fault | undefined {
  const code = systemCode(error);
  if (!code?.startsWith('SQLITE_')) return undefined;
  return faults.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'other';
}

/** An error of SQLite in its words, with its code. */
export function describeFault(error: unknown): string {
  return `${errorText(error)} (${systemCode(error) ?? 'no code'})`;
}
