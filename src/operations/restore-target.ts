import { chmodSync, lstatSync, readdirSync, renameSync, rmdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Cleanup } from '../base/cleanup.js';
import { BkpError, ioError, systemCode } from '../base/errors.js';
import { makeFolders } from '../fs/make-folders.js';
import { createStaging } from '../fs/staging.js';
import { syncFolder } from '../fs/sync-folder.js';
import type { Deps } from './deps.js';

/** A target is absent, or a folder with nothing in it: nothing is ever restored over other files. */
export function checkTarget(target: string): void {
  try {
    const found = lstatSync(target, { throwIfNoEntry: false });
    if (found === undefined) return;
    if (!found.isDirectory()) throw targetNotEmpty(target, 'is not a folder');
    if (isEmptyTarget(target)) return;
    throw readdirSync(target).includes(`.${targetStaging}.staging.lock`)
      ? halfRestored(target)
      : targetNotEmpty(target);
  } catch (error) {
    throw ioError('looking at', target, error, 'target-unwritable');
  }
}

/** What a restore into a folder that is there is built in: one that a killed restore left does not count as content. */
const targetStaging = 'bkp-restore';

/** Whether nothing but our own staging lies in a folder. Throws system errors. */
function isEmptyTarget(target: string): boolean {
  return readdirSync(target).every((name) => name.startsWith(`.${targetStaging}.staging`));
}

const targetNotEmpty = (target: string, what = 'is not empty'): BkpError =>
  new BkpError('target-not-empty', `${target} ${what}`, {
    path: target,
    hint: 'Choose a folder that is empty or does not exist yet; nothing is ever restored over other files.',
  });

/** Its files were being moved to their places: what lies there is a part of a backup, and looks like all of it. */
const halfRestored = (target: string): BkpError =>
  new BkpError('target-not-empty', `${target} holds a part of a backup: a restore into it was killed or is at work`, {
    path: target,
    hint:
      'It was empty when that restore began. If none is at work there, look at what it holds, remove that together ' +
      `with .${targetStaging}.staging and .${targetStaging}.staging.lock, and restore again; or choose another folder.`,
  });

/** All is built below this name, so that the target itself is a folder like any other. */
export const treeName = 'tree';

/** Where a tree is built, and how it gets to the target. */
export interface Place {
  /** Private. */
  readonly folder: string;
  /** The target is there already, as an empty folder. */
  readonly exists: boolean;
  publish(): Promise<void>;
}

/**
 * A target that does not exist yet is built beside its place and renamed once: all or nothing, whatever happens. An
 * empty folder that is there keeps being that folder: it is filled by renames from a private folder in it.
 */
export async function openPlace(target: string, deps: Deps, cleanup: Cleanup): Promise<Place> {
  const exists = lstatSync(target, { throwIfNoEntry: false }) !== undefined;
  const parent = exists ? target : dirname(target);
  let published = false;
  const made = makeParents(parent);
  cleanup.defer(() => {
    if (made !== undefined && !published) removeEmptyFolders(parent, made);
  });
  const staging = await createStaging(parent, exists ? targetStaging : basename(target), deps.clock);
  cleanup.defer(() => staging.close());
  const tree = join(staging.path, treeName);
  const publish = async (): Promise<void> => {
    try {
      // An archive of nothing has made nothing.
      makeFolders(tree, 0o755);
      if (exists) moveChildren(tree, target);
      else move(tree, target);
      published = true;
    } catch (error) {
      throw ioError('moving the restored files to', target, error, 'target-unwritable');
    }
    await syncFolder(exists ? target : parent);
  };
  return { folder: staging.path, exists, publish };
}

/** Gives the first folder that had to be made, if any. */
function makeParents(folder: string): string | undefined {
  try {
    return makeFolders(folder);
  } catch (error) {
    throw ioError('creating', folder, error, 'target-unwritable');
  }
}

/** Somebody else has put something there, or removed it. */
const noLongerOurs = new Set(['ENOTEMPTY', 'EEXIST', 'ENOENT']);

/** Removes a folder and those above it up to `last`, as long as they are empty. */
function removeEmptyFolders(folder: string, last: string): void {
  for (let at = folder; ; at = dirname(at)) {
    try {
      rmdirSync(at);
    } catch (error) {
      if (noLongerOurs.has(systemCode(error) ?? '')) return;
      throw ioError('removing', at, error);
    }
    if (at === last || at === dirname(at)) return;
  }
}

/** Moves what is in a folder into another one; where one move fails, those before it are undone. */
function moveChildren(from: string, to: string): void {
  // Looked at again: a rename would replace what was put there since the plan was made.
  if (!isEmptyTarget(to)) throw targetNotEmpty(to);
  const moved: string[] = [];
  try {
    for (const name of readdirSync(from)) {
      move(join(from, name), join(to, name));
      moved.push(name);
    }
  } catch (error) {
    for (const name of moved) move(join(to, name), join(from, name));
    throw error;
  }
}

const ownerWrites = 0o200;

/** Renames. A folder that its owner may not write to cannot be moved elsewhere by him: it may be, for that moment. */
function move(from: string, to: string): void {
  const found = lstatSync(from);
  const mode = found.mode & 0o7777;
  const isSealed = found.isDirectory() && (mode & ownerWrites) === 0 && found.uid === process.geteuid?.();
  if (!isSealed) return renameSync(from, to);
  chmodSync(from, mode | ownerWrites);
  try {
    renameSync(from, to);
  } catch (error) {
    chmodSync(from, mode);
    throw error;
  }
  chmodSync(to, mode);
}
