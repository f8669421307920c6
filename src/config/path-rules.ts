import { entryPathFault } from '../base/entry-path.js';
import { shown } from './fault.js';

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

/**
 * Why a text cannot be a glob that is matched against paths inside a source or an archive; undefined where it can.
 * Whatever could never match, or would match the opposite of what it seems to, is a fault.
 */
export function globFault(raw: string): string | undefined {
  if (raw.trim() === '') return 'must be a glob, not an empty text';
  if (raw.length > longestPath) return `must be a glob of at most ${longestPath} characters`;
  if (controlCharacter.test(raw)) return `must be a glob without control characters, not ${shown(raw)}`;
  // A leading "!" turns a glob around: as an exclude it would leave out everything else.
  if (raw.startsWith('!') && !raw.startsWith('!(')) return `must not begin with "!": ${shown(raw)} would turn around`;
  if (raw.startsWith('/')) return `must be relative, not ${shown(raw)}`;
  if (raw.split('/').some((segment) => segment === '' || segment === '.' || segment === '..')) {
    return `must be relative, without empty, "." or ".." parts and without a "/" at its end, not ${shown(raw)}`;
  }
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
