import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { systemCode } from '../base/errors.js';
import { entryPathFault, type EntryPath } from '../base/entry-path.js';
import type { Storage } from '../storage/storage.js';
import { liesBelow } from './resolve-sources.js';
import type { Source } from './source.js';
import { leftOutOf } from './source-walk.js';

/** The name of the source that a backup of the instance would find a file in; undefined where it would in none. */
export function holdingSource(
  file: string,
  sources: readonly Source[],
  excludes: readonly string[],
  storage: Storage,
): string | undefined {
  const real = join(realIfAny(dirname(file)), basename(file));
  if (storage.folder !== undefined && liesBelow(real, realIfAny(storage.folder))) return undefined;
  return sources.find((source) => {
    if (!source.enabled || source.type === 'sqlite') return false;
    const folder = realIfAny(source.path);
    const path = `${source.name}/${relative(folder, real)}`;
    if (!liesBelow(real, folder) || entryPathFault(path) !== undefined) return false;
    return !leftOutOf(source, excludes)(path as EntryPath, false);
  })?.name;
}

/** What cannot be looked at is taken as it is written: the archive is made, and this is only a remark about it. */
function realIfAny(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return path;
  }
}
