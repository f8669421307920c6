import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { systemCode } from '../base/errors.js';

/** By segment: `/data-evil` is not inside `/data`. Both absolute and without `..`. */
export function isInside(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

/**
 * Whether a symbolic link points out of the source it lies in. `root` is the source's real path, `link` the link's path
 * below it. A relative target may not climb above the root on its way, even to come back by name: the names above it are
 * others elsewhere. A target that does not exist is judged by the place where it would be.
 */
export function linkLeaves(root: string, link: string, target: string): boolean {
  if (!isAbsolute(target) && climbsAbove(root, dirname(link), target)) return true;
  const real = realPath(link);
  if (real !== undefined) return !isInside(root, real);
  return !isInside(root, placeOf(isAbsolute(target) ? '/' : dirname(link), target));
}

/** Where a target would lie, followed step by step as the system does, as far as there is something to follow. */
function placeOf(folder: string, target: string): string {
  let at = realPath(folder) ?? folder;
  for (const segment of target.split('/')) {
    const next = resolve(at, segment);
    at = realPath(next) ?? next;
  }
  return at;
}

/** Whether a relative target, followed from a folder below `root`, goes above it at any step. */
export function climbsAbove(root: string, folder: string, target: string): boolean {
  let depth = folder.slice(root.length).split('/').filter(Boolean).length;
  for (const segment of target.split('/')) {
    if (segment === '' || segment === '.') continue;
    depth += segment === '..' ? -1 : 1;
    if (depth < 0) return true;
  }
  return false;
}

/** Missing, circular, out of our sight or longer than the system takes: nothing that could be resolved. */
const unresolvable = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENAMETOOLONG']);

function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (unresolvable.has(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}
