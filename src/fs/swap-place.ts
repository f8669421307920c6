import { readdirSync, rmdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { systemCode } from '../base/errors.js';
import type { SwapIo } from './swap-io.js';

/**
 * The folder of one swap in a room: `aside/<move>/` takes what was live, `found/<step>/` what nobody expected. A new one
 * each time: an earlier restore may have left there what it could not prove to be in a backup.
 */
export function newPlace(room: string, io: SwapIo): string {
  for (let number = 1; ; number++) {
    const place = join(room, `swap-${number}`);
    if (io.look(place) === undefined) return place;
  }
}

/** Where what one move puts aside goes: into a folder of its own. */
export function asideFolder(place: string, move: number): string {
  return join(place, 'aside', String(move));
}

/** Where something that nobody expected at `live` may go: the first, the second, … choice. */
export function foundPath(place: string, step: number, live: string, choice: number): string {
  return join(place, 'found', choice === 0 ? String(step) : `${step}.${choice}`, basename(live));
}

/** What was put there: by number of the step. */
export function listFound(place: string): readonly { readonly step: number; readonly path: string }[] {
  const found = join(place, 'found');
  return names(found).flatMap((folder) =>
    names(join(found, folder)).map((name) => ({ step: Number.parseInt(folder, 10), path: join(found, folder, name) })),
  );
}

/** Removes the folder as far as nothing is left in it. */
export function removeEmptyPlace(place: string): void {
  for (const part of ['aside', 'found']) {
    for (const name of names(join(place, part))) removeEmpty(join(place, part, name));
    removeEmpty(join(place, part));
  }
  removeEmpty(place);
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

const notEmptyCodes = new Set(['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR']);

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!notEmptyCodes.has(systemCode(error) ?? '')) throw error;
  }
}
