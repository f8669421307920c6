import { randomBytes } from 'node:crypto';
import type { Cleanup } from '../base/cleanup.js';
import { createStaging, removeDeadStaging } from '../fs/staging.js';
import type { Deps } from './deps.js';

/**
 * A folder of its own in the temporary folder, for what may hold anybody's data; what dead processes left under that prefix is
 * removed first.
 */
export async function openPrivateFolder(prefix: string, deps: Deps, cleanup: Cleanup): Promise<string> {
  await removeDeadStaging(deps.temporaryFolder, deps.clock, prefix);
  const name = `${prefix}${randomBytes(6).toString('hex')}`;
  const staging = await createStaging(deps.temporaryFolder, name, deps.clock);
  cleanup.defer(() => staging.close());
  return staging.path;
}
