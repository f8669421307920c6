import { open } from 'node:fs/promises';
import { ioError, systemCode } from '../base/errors.js';

/** Folders that cannot be synced on their own (some network and FUSE file systems). */
const unsupportedCodes = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** Brings the names in a folder to the disk: what was created, renamed or removed in it. */
export async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (!unsupportedCodes.has(systemCode(error) ?? '')) throw ioError('syncing', path, error);
  }
}
