import { systemCode } from '../base/errors.js';
import type { SwapIo } from './swap-io.js';

/** A folder that may be sealed: its owner may not write to it. */
export interface MaybeSealed {
  readonly path: string;
  /** Where it lies once the action is done. */
  readonly after?: string;
}

/**
 * Does what needs to write to these folders. Without root their owner himself may not where they are sealed, and not even
 * move such a folder elsewhere (measured): they are unsealed for that moment. Throws what the action throws.
 */
export function unsealed<T>(folders: readonly MaybeSealed[], action: () => T, io: SwapIo): T {
  try {
    return action();
  } catch (error) {
    if (systemCode(error) !== 'EACCES') throw error;
    const sealed = unseal(folders, io);
    if (sealed.length === 0) throw error;
    let isDone = false;
    try {
      const result = action();
      isDone = true;
      return result;
    } finally {
      for (const { path, after = path, mode } of sealed) io.chmod(isDone ? after : path, mode);
    }
  }
}

const ownerWrites = 0o200;

/** Gives those that were sealed; one that is not ours to change stays as it is. */
function unseal(folders: readonly MaybeSealed[], io: SwapIo): readonly (MaybeSealed & { readonly mode: number })[] {
  return folders.flatMap((folder) => {
    const mode = io.look(folder.path)?.sealed;
    if (mode === undefined) return [];
    try {
      io.chmod(folder.path, mode | ownerWrites);
    } catch (error) {
      if (systemCode(error) !== 'EPERM') throw error;
      return [];
    }
    return [{ ...folder, mode }];
  });
}
