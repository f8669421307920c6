import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, rmdirSync } from 'node:fs';
import type { Cleanup } from '../base/cleanup.js';
import { BkpError, ioError, systemCode } from '../base/errors.js';
import { createStaging, removeDeadStaging, type Staging, type Swept } from '../fs/staging.js';
import type { Deps } from './deps.js';
import { stagingFolder } from './own-folders.js';

/** What is in clear and must not lie in the storage: private, empty, removed when the run ends. */
export interface PrivateStaging {
  readonly path: string;
  /** The folder and its lock, which no source may take in. */
  readonly own: readonly string[];
}

const prefix = 'bkp-create-';
const attempts = 3;

/**
 * A private folder in the instance's root, where the data lies in clear anyway; in the temporary folder where that root
 * cannot be written to.
 */
export async function openPrivateStaging(root: string, deps: Deps, cleanup: Cleanup): Promise<PrivateStaging> {
  const folder = stagingFolder(root);
  const name = `${prefix}${randomBytes(6).toString('hex')}`;
  cleanup.defer(() => removeIfEmpty(folder));
  const staging = (await inOwnFolder(folder, name, deps)) ?? (await inTemporaryFolder(folder, name, deps));
  cleanup.defer(() => staging.close());
  // Its lock lies beside it, and has a journal at times.
  const own = ['', '.lock', '.lock-journal'].map((suffix) => `${staging.path}${suffix}`);
  return { path: staging.path, own };
}

/** Removes what dead runs left, wherever it may be. */
export async function removeDeadPrivateStaging(root: string, deps: Deps): Promise<void> {
  const folder = stagingFolder(root);
  for (const parent of [folder, deps.temporaryFolder]) {
    const { removed, failures } = await sweep(parent, deps);
    for (const path of removed) deps.step('leftover-removed', `removed ${path} of a dead run`);
    for (const { message } of failures) deps.step('leftover-kept', message);
  }
  removeIfEmpty(folder);
}

/** A folder that may not even be listed is no reason for a run to fail that has no need of it. */
async function sweep(parent: string, { clock }: Deps): Promise<Swept> {
  try {
    return await removeDeadStaging(parent, clock, prefix);
  } catch (error) {
    if (!(error instanceof BkpError)) throw error;
    return { removed: [], failures: [error] };
  }
}

async function inOwnFolder(folder: string, name: string, { clock }: Deps): Promise<Staging | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    if (!makeOwn(folder)) return undefined;
    try {
      return await createStaging(folder, name, clock);
    } catch (error) {
      // Another run that ended just now has removed the empty folder.
      if (attempt === attempts || existsSync(folder)) throw error;
    }
  }
}

function inTemporaryFolder(folder: string, name: string, { clock, temporaryFolder, step }: Deps): Promise<Staging> {
  step('staging-elsewhere', `${folder} cannot be used; databases are copied to ${temporaryFolder} instead`);
  return createStaging(temporaryFolder, name, clock);
}

const unwritable = new Set(['EACCES', 'EPERM', 'EROFS']);

/** False where it cannot be made, is somebody else's, or a link that may lead anywhere. */
function makeOwn(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (unwritable.has(code)) return false;
    if (code !== 'EEXIST') throw ioError('creating', folder, error);
  }
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true || found.uid !== process.geteuid?.()) return false;
  if ((found.mode & 0o777) !== 0o700) chmodSync(folder, 0o700);
  return true;
}

const inUse = new Set(['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR', ...unwritable]);

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!inUse.has(systemCode(error) ?? '')) throw ioError('removing', folder, error);
  }
}
