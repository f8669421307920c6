import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { ioError } from '../base/errors.js';
import { existingAbove, type RestoreUnit } from './restore-units.js';

/** Throws `target-unwritable` where names would have to change in a folder that may not be written to. */
export function requireRights(units: readonly RestoreUnit[], root: string): void {
  const folders = units
    .filter(({ mode }) => mode !== 'inside')
    .map(({ live, mode }) => (mode === 'children' || mode === 'files' ? live : dirname(live)));
  for (const folder of new Set([root, ...folders].map(existingAbove))) {
    try {
      accessSync(folder, constants.W_OK | constants.X_OK);
    } catch (error) {
      throw ioError('making sure of write permission to', folder, error, 'target-unwritable');
    }
  }
}
