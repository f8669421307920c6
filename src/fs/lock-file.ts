import { closeSync, lstatSync, openSync } from 'node:fs';
import { BkpError, systemCode } from '../base/errors.js';
import { fileStat, type FileIdentity } from './file-stat.js';

/**
 * Makes the file, for its owner alone, where there is none, and gives whether it did. One that exists is not opened:
 * closing it again would drop the locks this process holds on it.
 */
export function createLockFile(file: string): boolean {
  try {
    closeSync(openSync(file, 'wx', 0o600));
    return true;
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    return false;
  }
}

/** Which file it is. Throws where it is not a regular one (a link could lead anywhere). */
export function lockFileIdentity(file: string): FileIdentity {
  const found = lstatSync(file, { bigint: true });
  if (found.isFile()) return fileStat(found);
  throw new BkpError('io-failed', `the lock file ${file} is not a regular file`, {
    path: file,
    hint: 'Remove what is there: the lock file is made anew.',
  });
}
