import { limits } from './limits.js';

/**
 * A path inside an archive: relative, `/` between segments, no empty, `.` or `..` segment, no NUL; its first segment is a
 * source's name. Kept byte for byte as UTF-8 (no normalisation). Made by `parseEntryPath` alone.
 */
export type EntryPath = string & { readonly __brand: 'EntryPath' };

export type EntryPathFault = 'empty' | 'absolute' | 'drive' | 'nul' | 'segment' | 'too-long' | 'too-deep' | 'not-utf8';

/** In UTF-8, where a UTF-16 unit takes three bytes at most. */
const isLonger = (text: string, bytes: number): boolean => text.length * 3 > bytes && Buffer.byteLength(text) > bytes;

/** Why a text cannot be an entry path; undefined where it can. The one rule set, used by create and by every reader. */
export function entryPathFault(raw: string): EntryPathFault | undefined {
  if (raw === '') return 'empty';
  if (raw.includes('\0')) return 'nul';
  if (raw.startsWith('/')) return 'absolute';
  if (/^[A-Za-z]:/.test(raw)) return 'drive';
  // A lone surrogate is what a decoder leaves of bytes that were not UTF-8: it has no bytes to be kept.
  if (!raw.isWellFormed()) return 'not-utf8';
  if (isLonger(raw, limits.maxPathBytes)) return 'too-long';
  const segments = raw.split('/');
  if (segments.length > limits.maxDepth) return 'too-deep';
  for (const segment of segments) {
    if (segment === '' || segment === '.' || segment === '..') return 'segment';
    if (isLonger(segment, limits.maxNameBytes)) return 'too-long';
  }
  return undefined;
}

/** Throws a `RangeError` on a text that cannot be one; for text from outside, ask `entryPathFault` first. */
export function parseEntryPath(raw: string): EntryPath {
  const fault = entryPathFault(raw);
  if (fault !== undefined) throw new RangeError(`unsafe entry path (${fault}): ${JSON.stringify(raw)}`);
  return raw as EntryPath;
}

/** The first segment: the name of the source an entry belongs to. */
export function sourceOf(path: EntryPath): string {
  const slash = path.indexOf('/');
  return slash === -1 ? path : path.slice(0, slash);
}

const beyondAscii = /[^\0-\x7f]/;

/** Order of the UTF-8 bytes, as `sort` with LC_ALL=C gives it. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  // UTF-16 order differs from UTF-8 order only where surrogates meet characters above them.
  if (!beyondAscii.test(a) || !beyondAscii.test(b)) return a < b ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
