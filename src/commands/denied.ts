import { lstatSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { BkpError, systemCode } from '../base/errors.js';

const denied: readonly (string | undefined)[] = ['EACCES', 'EPERM'];

/** The same error; where the system denied something that belongs to another user, its hint says so first. */
export function withOwner(error: BkpError): BkpError {
  const { id, message, path, cause, hint } = error;
  const user = process.geteuid?.();
  if (path === undefined || !path.startsWith('/') || user === undefined || !denied.includes(systemCode(cause))) {
    return error;
  }
  const { seen, stat } = nearest(path);
  if (stat.uid === user) return error;
  const owner = `${seen} belongs to the user with id ${stat.uid}, and bkp runs as ${user}: run bkp as that user.`;
  return new BkpError(id, message, { path, cause, hint: hint === undefined ? owner : `${owner} ${hint}` });
}

/** The path, or the nearest above it that may be looked at. */
function nearest(path: string): { readonly seen: string; readonly stat: Stats } {
  try {
    return { seen: path, stat: lstatSync(path) };
  } catch (error) {
    if (systemCode(error) === undefined || dirname(path) === path) throw error;
    return nearest(dirname(path));
  }
}
