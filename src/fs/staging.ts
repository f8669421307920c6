import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { ioError, systemCode, type BkpError } from '../base/errors.js';
import { acquireLock, type Lock } from './lock.js';
import { removeTree } from './remove-tree.js';

/** A private folder (0700) for what is being made. */
export interface Staging {
  readonly path: string;
  /** Removes it with all in it, also where that holds read-only folders. */
  close(): Promise<void>;
}

const folderEnding = '.staging';
/** Beside the folder: who holds it is alive. It is taken before the folder is made and removed after it. */
const lockEnding = '.staging.lock';

/**
 * Makes `.<name>.staging` in an existing folder. One left there by a dead process is removed first; one of a living
 * process throws `lock-held`. Other failures are `io-failed` or `no-space`.
 */
export async function createStaging(parent: string, name: string, clock: Clock): Promise<Staging> {
  const path = join(parent, `.${name}${folderEnding}`);
  const lock = await lockStaging(path, clock);
  try {
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

/**
 * Removes what processes that are dead by now left in a folder. What belongs to other users is left alone; in a folder
 * that is not ours alone, so is what has not our own beginning of the name.
 */
export async function removeDeadStaging(parent: string, clock: Clock, prefix = ''): Promise<Swept> {
  const removed: string[] = [];
  const failures: BkpError[] = [];
  for (const path of stagingPaths(parent, prefix)) {
    if (!isOurs(path) || !isOurs(`${path}.lock`)) continue;
    try {
      await removeUnlessAlive(path, clock);
      removed.push(path);
    } catch (error) {
      const failure = ioError('removing', path, error);
      if (failure.id !== 'lock-held') failures.push(failure);
    }
  }
  return { removed, failures };
}

async function removeUnlessAlive(path: string, clock: Clock): Promise<void> {
  const lock = await lockStaging(path, clock);
  try {
    await removeTree(path);
  } catch (error) {
    lock.release();
    throw error;
  }
  dropLock(lock);
}

/** The folders, also those of which only the lock is left. */
function stagingPaths(parent: string, prefix: string): readonly string[] {
  const names = new Set<string>();
  for (const name of namesIn(parent)) {
    if (!name.startsWith(`.${prefix}`)) continue;
    if (name.endsWith(folderEnding)) names.add(name);
    if (name.endsWith(lockEnding)) names.add(name.slice(0, -'.lock'.length));
  }
  return [...names].sort().map((name) => join(parent, name));
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw ioError('listing', folder, error);
  }
}

/** A shared temporary folder has those of other users too. */
function isOurs(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found === undefined || found.uid === process.geteuid?.();
}

function lockStaging(path: string, clock: Clock): Promise<Lock> {
  return acquireLock(`${path}.lock`, { wait: 0, clock });
}

/** The file goes while its lock is held: whoever opened it meanwhile sees that it is no longer the one. */
function dropLock(lock: Lock): void {
  rmSync(lock.file, { force: true });
  lock.release();
}
