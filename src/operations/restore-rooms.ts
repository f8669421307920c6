import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BkpError, ioError, systemCode } from '../base/errors.js';
import { displayName } from '../fs/display-name.js';
import { isPartialName } from '../fs/partial-file.js';
import { removeTree } from '../fs/remove-tree.js';
import type { Kept } from '../fs/swap-discard.js';
import { removeEmptyPlace } from '../fs/swap-place.js';
import { forgetKept } from './kept-list.js';
import { safetyListName } from './safety-list.js';

const placeName = /^swap-\d+$/;

/**
 * Removes what a restore staged, and the folders it made for moves as far as nothing is in them; a room that holds nothing
 * else goes too. Only without a journal: one that is there needs all of it.
 */
export async function clearRooms(rooms: Iterable<string>): Promise<void> {
  for (const room of new Set(rooms)) {
    await removeTree(join(room, 'stage'));
    await removeTree(join(room, safetyListName));
    for (const name of namesIn(room)) {
      if (placeName.test(name)) removePlace(join(room, name));
      // A journal or a list that a killed process was writing.
      else if (isPartialName(name)) await removeTree(join(room, name));
    }
    await forgetKept(room);
    const left = namesIn(room);
    if (left.length > 0 && !left.every((name) => name.startsWith('.lock'))) continue;
    await removeTree(room);
  }
}

/** After a restore that is decided, what cannot be removed is named, and no failure. */
export async function clearOrName(rooms: Iterable<string>): Promise<readonly Kept[]> {
  const kept: Kept[] = [];
  for (const room of new Set(rooms)) {
    try {
      await clearRooms([room]);
    } catch (error) {
      if (!(error instanceof BkpError)) throw error;
      kept.push({ path: displayName(error.path ?? room), reason: error.message });
    }
  }
  return kept;
}

function removePlace(place: string): void {
  try {
    removeEmptyPlace(place);
  } catch (error) {
    throw ioError('removing', place, error);
  }
}

function namesIn(room: string): readonly string[] {
  try {
    return readdirSync(room);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw ioError('looking into', room, error);
  }
}
