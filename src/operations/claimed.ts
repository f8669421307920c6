import { realpathSync } from 'node:fs';
import { relative } from 'node:path';
import { systemCode } from '../base/errors.js';
import { isInside } from '../fs/link-target.js';
import type { Claimed } from '../policy/proposal.js';
import type { Source } from './source.js';

/** What sources hold of a folder: by their paths, and by where these lead. `root` is a real path. */
export function claimedBy(sources: readonly Source[], root: string): Claimed {
  const pathsOf = (type: Source['type']): readonly string[] =>
    sources
      .filter((source) => source.type === type)
      .flatMap(({ path }) => [path, ...realPath(path)])
      .filter((path) => isInside(root, path))
      .map((path) => relative(root, path) || '.');
  return {
    databases: pathsOf('sqlite'),
    folders: pathsOf('directory'),
    names: sources.map(({ name }) => name),
    hasConfiguration: sources.some(({ type }) => type === 'files'),
  };
}

/** None where it leads nowhere. */
function realPath(path: string): readonly string[] {
  try {
    return [realpathSync.native(path)];
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}
