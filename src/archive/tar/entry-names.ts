import { ArchiveDamage } from '../../base/damage.js';
import { entryPathFault, type EntryPath } from '../../base/entry-path.js';
import { limits } from '../../base/limits.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const beyondAscii = /[^\0-\x7f]/;

/** The text of a stored name; undefined where it is not UTF-8. */
function decodeName(bytes: Buffer): string | undefined {
  const text = bytes.toString('latin1');
  if (!beyondAscii.test(text)) return text;
  try {
    return utf8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/**
 * The path of an entry from its stored name; a folder's trailing slash is no part of it. With `dropDotSlash` one leading
 * `./` is neither, and undefined is given for the root itself, `./`. Throws `ArchiveDamage` where it is unsafe.
 */
export function entryPath(name: Buffer, isFolder: boolean, dropDotSlash: boolean): EntryPath | undefined {
  const text = decodeName(name);
  if (text === undefined) throw unsafe(name, 'not-utf8');
  const bare = isFolder && text.length > 1 && text.endsWith('/') ? text.slice(0, -1) : text;
  if (dropDotSlash && isFolder && bare === '.') return undefined;
  const path = dropDotSlash && bare.startsWith('./') ? bare.slice(2) : bare;
  const fault = entryPathFault(path);
  if (fault !== undefined) throw unsafe(name, fault);
  return path as EntryPath;
}

/** Where a link points. Throws `ArchiveDamage` where it cannot be a link's target. */
export function linkTarget(bytes: Buffer, path: EntryPath): string {
  const text = decodeName(bytes);
  if (text === undefined || text === '' || text.includes('\0') || bytes.length > limits.maxLinkBytes) {
    throw new ArchiveDamage('entry-path-unsafe', 'the target of a link is empty, too long or no text', path);
  }
  return text;
}

const unsafe = (name: Buffer, fault: string): ArchiveDamage =>
  new ArchiveDamage('entry-path-unsafe', `an entry's name is unsafe (${fault})`, name.toString());
