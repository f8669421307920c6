import { randomBytes } from 'node:crypto';
import type { ByteSink } from '../base/byte-source.js';
import type { Cleanup } from '../base/cleanup.js';
import { createStaging, removeDeadStaging } from '../fs/staging.js';
import { archiveName, freeBackupId } from '../policy/backup-name.js';
import type { StoragePartial } from '../storage/storage.js';
import type { Destination, OpenDestination } from './backup-destination.js';
import type { Deps } from './deps.js';

const stagingPrefix = 'bkp-stream-';

/**
 * A stream: in one pass, without a lock. What has to lie somewhere meanwhile (the copies of databases) lies in the temporary
 * folder; neither the storage nor what lies beside the data is written to.
 */
export async function openAsStream(
  { open, file, storage, container }: Extract<Destination, { readonly kind: 'stream' }>,
  origin: string,
  { temporaryFolder, clock, step }: Deps,
  cleanup: Cleanup,
): Promise<OpenDestination> {
  // Those of killed runs hold whole databases.
  const swept = await removeDeadStaging(temporaryFolder, clock, stagingPrefix);
  for (const path of swept.removed) step('leftover-removed', `removed ${path} of a dead run`);
  const staging = await createStaging(temporaryFolder, `${stagingPrefix}${randomBytes(6).toString('hex')}`, clock);
  cleanup.defer(() => staging.close());
  const id = freeBackupId(clock.now(), origin, []);
  const own = ['', '.lock', '.lock-journal'].map((suffix) => `${staging.path}${suffix}`);
  return {
    id,
    file: 'standard output',
    name: archiveName(id, container),
    staging: staging.path,
    folders: [storage.folder, file, ...own].filter((path) => path !== undefined),
    partial: streamPartial(open()),
    publish: () => Promise.resolve(),
  };
}

/** What was written is gone: it cannot be cut, read back, named or removed. */
function streamPartial(sink: ByteSink): StoragePartial {
  return {
    write: (bytes) => sink.write(bytes),
    sync: () => Promise.resolve(),
    open: () => Promise.reject(new Error('a stream cannot be read back')),
    publish: () => Promise.resolve(),
    discard: () => Promise.resolve(),
  };
}
