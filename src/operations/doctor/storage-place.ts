import { statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../../base/errors.js';

/** Where archives lie, or will lie: the folder, or the nearest one above it that is there. */
export interface StoragePlace {
  readonly path: string;
  readonly stats: Stats;
  /** The folder itself is there. */
  readonly exists: boolean;
}

/** Throws system errors other than that something is missing. */
export function placeOfStorage(folder: string): StoragePlace {
  for (let path = folder; ; path = dirname(path)) {
    try {
      return { path, stats: statSync(path), exists: path === folder };
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || path === dirname(path)) throw error;
    }
  }
}
