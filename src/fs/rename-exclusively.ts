import { link, lstat, rename, unlink } from 'node:fs/promises';
import { BkpError, systemCode } from '../base/errors.js';

/** What file systems without hard links say (FAT, some network and FUSE ones). */
const noLinkCodes = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL']);

/** Renames within a folder, never over something that has the name: throws `output-exists`, and system errors. */
export async function renameExclusively(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw outputExists(to, error);
    if (!noLinkCodes.has(systemCode(error) ?? '')) throw error;
    if (await exists(to)) throw outputExists(to, error);
    return rename(from, to);
  }
  try {
    await unlink(from);
  } catch (error) {
    // Who is told that it failed must not find the new name.
    await unlink(to).catch(() => undefined);
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

function outputExists(path: string, cause: unknown): BkpError {
  return new BkpError('output-exists', `${path} exists already`, {
    cause,
    path,
    hint: 'Nothing is overwritten: choose another name, or move that file away.',
  });
}
