import { dirname } from 'node:path';
import { BkpError, ioError } from '../base/errors.js';
import { makeFolders } from '../fs/make-folders.js';
import { livePath } from './plan-in-place.js';
import type { RestoreUnit } from './restore-units.js';
import type { Staged } from './stage-units.js';

/** Makes the folders that missing sources are to lie in. */
export function makeParents(units: readonly RestoreUnit[]): void {
  for (const { live, exists, mode } of units) {
    if (!exists && mode !== 'inside') makeFolder(dirname(live));
  }
}

function makeFolder(path: string): void {
  try {
    makeFolders(path);
  } catch (error) {
    throw ioError('creating the folder', path, error, 'target-unwritable');
  }
}

/** Makes the folders that single files go to; they may not be there. Rejects where no file is to be restored. */
export function makeSingleParents(units: readonly RestoreUnit[], { singles, files, links }: Staged): void {
  if (files + links === 0 && units.every(({ mode }) => mode === 'files')) throw nothingMatches();
  for (const [unit, paths] of singles) {
    for (const path of paths) makeFolder(dirname(livePath(unit, path)));
  }
}

const nothingMatches = (): BkpError =>
  new BkpError('file-not-found', 'the backup holds no file that is to be restored', {
    hint: '`bkp show --files <backup>` lists what it holds; --path matches `source/path`.',
  });
