import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BkpError, ioError } from '../base/errors.js';
import { FolderHandle } from './folder-handle.js';
import type { CarryStep } from './journal-format.js';
import { isInside } from './link-target.js';
import { applyToDescriptor } from './metadata.js';
import type { SwapIo } from './swap-io.js';
import { unsealed } from './unsealed.js';

export interface CarryRequest {
  readonly live: string;
  readonly staged: string;
  /** Relative; what is not there is left out. */
  readonly carry?: readonly string[];
}

/**
 * Plans what moves from an old tree into the new one. The folders it lies in are made in the staged tree, as the live
 * ones are, so that in the swap itself a rename is enough. Throws `swap-impossible` where the staged tree is in the way.
 */
export function prepareCarry(request: CarryRequest, aside: string, place: string, io: SwapIo): readonly CarryStep[] {
  const { live, staged, carry = [] } = request;
  const outermost = carry.filter((path) => !carry.some((other) => other !== path && isInside(other, path)));
  return [...new Set(outermost)].flatMap((path): CarryStep[] => {
    const old = io.look(join(live, path));
    if (old === undefined) return [];
    const inTheWay = io.look(join(staged, path));
    if (inTheWay !== undefined) throw taken(join(live, path), join(staged, path));
    makeParents(live, staged, dirname(path), io);
    const sealed = sealedParents(join(live, path), join(staged, path), io);
    return [{ kind: 'carry', live: join(live, path), aside: join(aside, path), place, old, ...sealed }];
  });
}

function sealedParents(live: string, staged: string, io: SwapIo): Pick<CarryStep, 'sealed'> {
  const [old, fresh] = [live, staged].map((path) => io.look(dirname(path))?.sealed);
  if (old === undefined && fresh === undefined) return {};
  return { sealed: { ...(old === undefined ? {} : { old }), ...(fresh === undefined ? {} : { new: fresh }) } };
}

/** Makes a folder in the staged tree, and those it lies in, with owner, mode and times of the live ones. */
function makeParents(live: string, staged: string, path: string, io: SwapIo): void {
  const to = join(staged, path);
  const found = io.look(to);
  if (found?.kind === 'folder') return;
  if (found !== undefined || path === '.') throw taken(join(live, path), to);
  makeParents(live, staged, dirname(path), io);
  try {
    unsealed([{ path: dirname(to) }], () => mkdirSync(to, { mode: 0o700 }), io);
    copyMetadata(join(live, path), to);
  } catch (error) {
    throw ioError('making', to, error);
  }
}

function copyMetadata(from: string, to: string): void {
  const old = new FolderHandle(from);
  try {
    const made = new FolderHandle(to);
    try {
      applyToDescriptor(made.fd, old.stat, 'archive', { ownersNotSet: 0, setIdsDropped: 0 });
    } finally {
      made.close();
    }
  } finally {
    old.close();
  }
}

function taken(live: string, staged: string): BkpError {
  return new BkpError('swap-impossible', `${live} cannot be carried over: the restored tree has something else there`, {
    path: staged,
    hint: 'It is left out of backups now, but this backup holds something in its place. Exclude nothing there, or restore to another folder with --target.',
  });
}
