import { entryPathFault } from '../base/entry-path.js';
import { shown } from './fault.js';

/** One rule with what matches them. */
export { globFault } from '../fs/globs.js';

export const controlCharacter = /\p{Cc}/u;
const longestPath = 4096;

/** Why a text cannot be a path in a configuration, a variable or a flag; undefined where it can. */
export function pathFault(raw: string): string | undefined {
  if (raw.trim() === '') return 'must be a path, not an empty text';
  if (raw.length > longestPath) return `must be a path of at most ${longestPath} characters`;
  if (controlCharacter.test(raw)) return `must be a path without control characters, not ${shown(raw)}`;
  if (raw === '~' || raw.startsWith('~/')) return `must be written out, not ${shown(raw)}: only a shell expands "~"`;
  return undefined;
}

/** Written after the sources, under these names: a source cannot have them. */
const reservedNames = new Set(['sha256sums', 'manifest.json']);
/** Names that mean something else on every object; refused so that no reader of a manifest trips over them. */
const prototypeNames = new Set(['__proto__', 'constructor', 'prototype']);

/** Why a text cannot be a source's name, which is the first segment of its entries' paths; undefined where it can. */
export function sourceNameFault(name: string): string | undefined {
  if (prototypeNames.has(name)) return 'cannot be the name of a source: it has a meaning in JavaScript';
  // Compared without case: an unpacked archive may lie on a file system that folds it.
  if (reservedNames.has(name.toLowerCase()))
    return 'cannot be the name of a source: every archive has a file of that name';
  if (controlCharacter.test(name)) return 'cannot be the name of a source: it has control characters';
  const fault = entryPathFault(name);
  if (fault === 'too-long') return 'cannot be the name of a source: it is longer than 255 bytes';
  if (fault !== undefined || name.includes('/')) {
    return 'cannot be the name of a source: it must be one path segment (no "/", not empty, "." or "..")';
  }
  return undefined;
}
