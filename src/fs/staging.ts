import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Clock } from '../base/clock.js';
import { BkpError, ioError, systemCode } from '../base/errors.js';
import { acquireLock, type Lock } from './lock.js';
import { reasonOf } from './reason.js';
import { removeTree } from './remove-tree.js';

/** A private folder (0700) for what is being made. */
export interface Staging {
  readonly path: string;
  /** Removes it with all in it, also where that holds read-only folders. */
  close(): Promise<void>;
}

const folderEnding = '.staging';
/**
 * Beside the folder: who holds it is alive. It is made before the folder and removed after it, so that a folder without
 * it is not ours, whatever its name.
 */
const lockEnding = '.staging.lock';

/**
 * Makes `.<name>.staging` in an existing folder. One left there by a dead process is removed first, and so are `files`,
 * which none but the holder of this staging writes. One of a living process throws `lock-held`, anything that is not
 * ours `output-exists`. Other failures are `io-failed` or `no-space`.
 */
export async function createStaging(
  parent: string,
  name: string,
  clock: Clock,
  files: readonly string[] = [],
): Promise<Staging> {
  const path = join(parent, `.${name}${folderEnding}`);
  const lock = await lockOwn(path, [path, ...files], clock).catch((error: unknown) => {
    throw unusableParent(parent, error);
  });
  try {
    for (const file of files) rmSync(file, { force: true });
    await removeTree(path);
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    dropLock(lock);
    throw ioError('creating', path, error);
  }
  return {
    path,
    close: async () => {
      await removeTree(path);
      dropLock(lock);
    },
  };
}

export interface Swept {
  /** Paths. */
  readonly removed: readonly string[];
  /** What could not be removed, and why: nothing a run has to fail for. */
  readonly failures: readonly BkpError[];
}

/** Names given to `createStaging`: their beginning, or what tells them from others. */
export type StagingNames = string | ((name: string) => boolean);

/**
 * Removes what processes that are dead by now left in a folder under such names. What belongs to other users is left
 * alone, and so is a folder that has no lock beside it.
 */
export async function removeDeadStaging(parent: string, clock: Clock, names: StagingNames): Promise<Swept> {
  const removed: string[] = [];
  const failures: BkpError[] = [];
  const isWanted = typeof names === 'string' ? (name: string) => name.startsWith(names) : names;
  for (const path of stagingPaths(parent, isWanted)) {
    if (!isOfThisUser(path) || !isOfThisUser(`${path}.lock`)) continue;
    try {
      await removeUnlessAlive(path, clock);
      removed.push(path);
    } catch (error) {
      const failure = ioError('removing', path, error);
      if (failure.id !== 'lock-held' && failure.id !== 'output-exists') failures.push(failure);
    }
  }
  return { removed, failures };
}

async function removeUnlessAlive(path: string, clock: Clock): Promise<void> {
  const lock = await lockOwn(path, [path], clock);
  try {
    await removeTree(path);
  } catch (error) {
    lock.release();
    throw error;
  }
  dropLock(lock);
}

/** The folders that have a lock, also where only that is left. */
function stagingPaths(parent: string, isWanted: (name: string) => boolean): readonly string[] {
  return namesIn(parent)
    .filter((name) => name.startsWith('.') && name.endsWith(lockEnding))
    .map((name) => name.slice(1, -lockEnding.length))
    .filter(isWanted)
    .sort()
    .map((name) => join(parent, `.${name}${folderEnding}`));
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return [];
    throw ioError('listing', folder, error);
  }
}

/** A shared temporary folder has those of other users too. */
function isOfThisUser(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found === undefined || found.uid === process.geteuid?.();
}

/** Takes the lock. Where it is new, none of `mine` can be ours: `output-exists`, and everything stays as it is. */
async function lockOwn(path: string, mine: readonly string[], clock: Clock): Promise<Lock> {
  const file = `${path}.lock`;
  const refuseForeign = (): void => {
    const foreign = mine.find(exists);
    if (foreign !== undefined) throw notOurs(foreign, file);
  };
  // Before it is made: a lock that a kill leaves behind would make the user's folder ours.
  if (!exists(file)) refuseForeign();
  const lock = await acquireLock(file, { wait: 0, clock });
  try {
    if (lock.isNew) refuseForeign();
  } catch (error) {
    dropLock(lock);
    throw error;
  }
  return lock;
}

const exists = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

const notOurs = (path: string, lock: string): BkpError =>
  new BkpError('output-exists', `${path} is in the way: no run of bkp left it there, for there is no ${lock}`, {
    path,
    hint: 'Nothing of yours is overwritten: move it away, or choose another name.',
  });

const unusableCodes = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS']);

/** A parent in which no file can be made, named as such. */
function unusableParent(parent: string, error: unknown): unknown {
  const cause = error instanceof BkpError ? error.cause : error;
  if (!unusableCodes.has(systemCode(cause) ?? '')) return ioError('creating a private folder in', parent, error);
  const hint =
    resolve(parent) === resolve(tmpdir())
      ? 'Temporary files lie there: set TMPDIR to a folder that exists and can be written to.'
      : 'Make sure that it exists and can be written to.';
  const message = `no private folder can be made in ${parent}: ${reasonOf(cause)}`;
  return new BkpError('io-failed', message, { cause, path: parent, hint });
}

/** The file goes while its lock is held: whoever opened it meanwhile sees that it is no longer the one. */
function dropLock(lock: Lock): void {
  rmSync(lock.file, { force: true });
  lock.release();
}
