import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../base/errors.js';

/** The private folder of a restore in the instance's root, where the journal lies. */
export const restoreFolder = '.bkp-restore';

/** Folders of ours that may lie in an instance's root, whatever the configuration says. */
export const ownFolders = (root: string): readonly string[] => [join(root, restoreFolder), stagingFolder(root)];

/** For what is in clear while an encrypted backup is made. */
export const stagingFolder = (root: string): string => join(root, '.bkp-staging');

/** The private folder on a further file system: several instances may have data there. */
export function roomName(root: string): string {
  const hash = createHash('sha256').update(realOrItself(root)).digest('hex');
  return `${restoreFolder}-${hash.slice(0, 8)}`;
}

export function realOrItself(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return path;
  }
}
