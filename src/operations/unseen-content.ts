import { BkpError } from '../base/errors.js';
import type { WalkFinding } from '../fs/walk-finding.js';

const denied: readonly (string | undefined)[] = ['EACCES', 'EPERM'];

/**
 * For who must know all that lies in a folder before it is replaced. What is odd, gone, or somebody else's is passed; a disk
 * that fails throws `io-failed`.
 */
export function refuseUnseen({ id, path, message, code }: WalkFinding): void {
  if (id !== 'file-unreadable' || code === undefined || denied.includes(code)) return;
  throw new BkpError('io-failed', `failed while looking for what lies in ${path}: ${message}`, {
    path,
    hint: 'Nothing was changed. Look at the disk it lies on, then restore again.',
  });
}
