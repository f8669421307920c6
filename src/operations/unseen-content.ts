import { join } from 'node:path';
import { BkpError } from '../base/errors.js';
import type { WalkFinding } from '../fs/walk-finding.js';

const denied: readonly (string | undefined)[] = ['EACCES', 'EPERM'];

/**
 * For who must know all that lies in a folder before it is replaced. What is odd, gone, or somebody else's is passed; a disk
 * that fails throws `io-failed`. `root`: the real path of the source.
 */
export function refuseUnseen({ id, path: entry, message, code }: WalkFinding, root: string): void {
  if (id !== 'file-unreadable' || code === undefined || denied.includes(code)) return;
  const path = join(root, entry.split('/').slice(1).join('/'));
  throw new BkpError('io-failed', `failed while looking for what lies in ${path}: ${message}`, {
    path,
    hint: 'Nothing was changed. Look at the disk it lies on, then restore again.',
  });
}
