import { relative } from 'node:path';
import { displayName } from '../fs/display-name.js';

/** Characters that turn the direction of what follows: a name could show itself as another one. */
const directions = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Nearly all there is: nothing in it to escape. */
const plain = /^[ -~]*$/;

/**
 * A name or a path on one line of a terminal: control characters, line ends and direction marks are escaped, so that a
 * hostile name cannot write escape sequences, further lines, or itself as another.
 */
export function shownName(name: string): string {
  if (plain.test(name)) return name;
  return displayName(name).replace(directions, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A message for a terminal, treated as names are; its own line ends stay. */
export function shownText(text: string): string {
  return text.split('\n').map(shownName).join('\n');
}

/** A word as a shell takes it back. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A path as people know it who know the root: relative where it lies in it. Both absolute. */
export function placeIn(root: string, path: string): string {
  const below = relative(root, path);
  if (below === '') return '.';
  return below === '..' || below.startsWith('../') ? path : below;
}
