import { isUtf8 } from 'node:buffer';
import { getFileNameLowLevel, type Entry } from 'yauzl';
import type { EntryHeader, EntryKind } from '../archive.js';
import { decodeExtras, type Extras } from './extra-fields.js';
import { flagDescriptor, flagEncrypted, flagUtf8, hostUnix } from './records.js';
import { ArchiveDamage, type Damage } from '../../base/damage.js';
import { entryPathFault, type EntryPath } from '../../base/entry-path.js';
import { limits } from '../../base/limits.js';

/** One entry as its central record tells of it; the local record must agree. */
export interface ZipEntry {
  readonly header: EntryHeader;
  readonly rawName: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly time: number;
  readonly date: number;
  readonly crc: number;
  readonly size: number;
  readonly packedSize: number;
  readonly offset: number;
  readonly extras: Extras;
  /** Where its central record lies. */
  readonly central: { readonly at: number; readonly bytes: number };
}

const hostMac = 19;
const typeMask = 0o170000;
const kinds = new Map<number, EntryKind>([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'link'],
]);

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** An entry, or why it cannot be one; `skip` for a lone `./` that stands for the archive's own root. */
export function centralEntry(
  entry: Entry,
  central: { readonly at: number; readonly bytes: number },
  dropDotSlash: boolean,
): ZipEntry | Damage | { readonly skip: true } {
  const shown = entry.fileNameRaw.toString();
  let name = entryName(entry);
  if (name === undefined) return { id: 'entry-path-unsafe', message: 'its name is not valid UTF-8', path: shown };
  if (dropDotSlash && name.startsWith('./')) name = name.slice(2);
  if (name === '')
    return dropDotSlash ? { skip: true } : { id: 'entry-path-unsafe', message: 'it has no name', path: shown };
  const kind = entryKind(entry, name);
  if (kind === undefined) {
    return { id: 'entry-type-forbidden', message: 'it is not a file, folder or symbolic link', path: shown };
  }
  const path = kind === 'directory' && name.endsWith('/') ? name.slice(0, -1) : name;
  const fault = pathFault(path, entry);
  if (fault !== undefined)
    return { id: 'entry-path-unsafe', message: `its name is not allowed (${fault})`, path: shown };
  const extras = parseExtras(entry, shown);
  if (kind === 'link' && entry.uncompressedSize > limits.maxLinkBytes) {
    return { id: 'entry-path-unsafe', message: 'the link is too long', path: shown };
  }
  return {
    header: entryHeader(entry, path as EntryPath, kind, extras),
    rawName: Buffer.from(entry.fileNameRaw),
    flags: entry.generalPurposeBitFlag,
    method: entry.compressionMethod,
    time: entry.lastModFileTime,
    date: entry.lastModFileDate,
    crc: entry.crc32,
    size: entry.uncompressedSize,
    packedSize: entry.compressedSize,
    offset: entry.relativeOffsetOfLocalHeader,
    extras,
    central,
  };
}

function entryHeader(entry: Entry, path: EntryPath, kind: EntryKind, extras: Extras): EntryHeader {
  return {
    path,
    kind,
    size: kind === 'file' ? entry.uncompressedSize : 0,
    mode: entryMode(entry, kind),
    mtime: extras.exactMtime ?? extras.mtime ?? BigInt(Math.round(entry.getLastModDate().getTime())) * 1_000_000n,
    uid: extras.uid ?? 0,
    gid: extras.gid ?? 0,
  };
}

export const isEncrypted = (entry: Pick<ZipEntry, 'flags'>): boolean => (entry.flags & flagEncrypted) !== 0;
export const hasDescriptor = (entry: Pick<ZipEntry, 'flags'>): boolean => (entry.flags & flagDescriptor) !== 0;

const host = (entry: Entry): number => entry.versionMadeBy >>> 8;
const fromUnix = (entry: Entry): boolean => host(entry) === hostUnix || host(entry) === hostMac;
const unixMode = (entry: Entry): number => (fromUnix(entry) ? entry.externalFileAttributes >>> 16 : 0);

/**
 * UTF-8 where the flag says so; else as other tools read it: Info-ZIP's Unicode path field, from Unix UTF-8 where it is
 * that (Info-ZIP's `zip` writes names as they are), or code page 437.
 */
function entryName(entry: Entry): string | undefined {
  const raw = entry.fileNameRaw;
  try {
    if ((entry.generalPurposeBitFlag & flagUtf8) !== 0) return decoder.decode(raw);
    return getFileNameLowLevel(fromUnix(entry) && isUtf8(raw) ? flagUtf8 : 0, raw, entry.extraFields, true);
  } catch {
    return undefined;
  }
}

function entryKind(entry: Entry, name: string): EntryKind | undefined {
  const byName = name.endsWith('/') ? 'directory' : 'file';
  const type = unixMode(entry) & typeMask;
  if (type === 0) return byName;
  const kind = kinds.get(type);
  // A folder's name ends with a slash (APPNOTE 4.4.17.1), and nothing else's does.
  return kind !== undefined && (kind === 'directory') === (byName === 'directory') ? kind : undefined;
}

function entryMode(entry: Entry, kind: EntryKind): number {
  const mode = unixMode(entry);
  if (mode !== 0) return mode & 0o7777;
  return kind === 'directory' ? 0o755 : 0o644;
}

function pathFault(path: string, entry: Entry): string | undefined {
  // Elsewhere than on Unix a backslash separates folders; taken as a character it would hide them.
  if (!fromUnix(entry) && path.includes('\\')) return 'backslash';
  return entryPathFault(path);
}

function parseExtras(entry: Entry, shown: string): Extras {
  try {
    return decodeExtras(entry.extraFieldRaw);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ArchiveDamage('structure-invalid', error.message, shown);
  }
}
