import { BkpError } from '../base/errors.js';
import type { FileUser } from './protocol.js';

const maxNamed = 5;

/** For databases that other processes have open, before anything was touched. */
export function openElsewhere(users: readonly FileUser[]): BkpError {
  return inUse(`in use by other programs: ${named(users)}`, users[0]?.path);
}

/** For a database that is locked by a process that could not be seen. */
export function lockedElsewhere(path: string): BkpError {
  return inUse(`another program uses ${path}: it is locked`, path);
}

/** For a database that was absent or another file when the locks were taken. */
export function appearedMeanwhile(path: string): BkpError {
  return inUse(`another program made ${path} while its database was being replaced`, path);
}

/**
 * For old files that others opened while they waited for the lock. Let go, they would take the restored database's `-wal` and
 * `-journal` for those of the old one, by name (measured: the restored one loses commits).
 */
export function oldFileStillOpen(users: readonly FileUser[]): BkpError {
  return new BkpError('database-in-use', `opened while it was being replaced, and not closed: ${named(users)}`, {
    ...(users[0] === undefined ? {} : { path: users[0].path }),
    hint: 'Stop these programs first: they would mix the old database with the restored one.',
  });
}

function inUse(message: string, path: string | undefined): BkpError {
  return new BkpError('database-in-use', message, {
    ...(path === undefined ? {} : { path }),
    hint: 'Stop the application, or have the hook beforeRestore stop it (and afterRestore start it), and restore again.',
  });
}

function named(users: readonly FileUser[]): string {
  const some = users.slice(0, maxNamed).map(({ path, pid, command }) => `${path} by process ${pid} (${command})`);
  return users.length > maxNamed ? `${some.join('; ')}; and ${users.length - maxNamed} more` : some.join('; ');
}
