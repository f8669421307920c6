import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../base/errors.js';

/**
 * Makes a folder and those it lies in; one that is there, or a link to one, is fine. Gives the outermost that had to be
 * made. Throws the system error of the call that failed: the `recursive` of Node.js tells `ENOENT` of most (measured).
 */
export function makeFolders(path: string, mode = 0o777): string | undefined {
  if (isFolder(path)) return undefined;
  const made = dirname(path) === path ? undefined : makeFolders(dirname(path), mode);
  try {
    mkdirSync(path, mode);
    return made ?? path;
  } catch (error) {
    if (isFolder(path)) return made;
    throw error;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}
