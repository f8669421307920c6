import { isUtf8 } from 'node:buffer';
import { Entry, getFileNameLowLevel } from 'yauzl';
import type { EntryHeader, EntryKind } from '../archive.js';
import type { CentralRecord } from './central-record.js';
import { rawFields, type Extras } from './extra-fields.js';
import { flagUtf8, hostUnix } from './records.js';
import type { ZipEntry } from './zip-entry.js';
import { ArchiveDamage, type Damage } from '../../base/damage.js';
import { entryPathFault, type EntryPath } from '../../base/entry-path.js';
import { limits } from '../../base/limits.js';

const hostMac = 19;
const typeMask = 0o170000;
const kinds = new Map<number, EntryKind>([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'link'],
]);

/** An entry, or why it cannot be one; `skip` for a lone `./` that stands for the archive's own root. */
export function centralEntry(record: CentralRecord, at: number, dropDotSlash: boolean): ZipEntry | Damage | 'skip' {
  const refused = (id: Damage['id'], message: string): Damage => ({ id, message, path: record.name.toString() });
  let name = entryName(record);
  if (name === undefined) return refused('entry-path-unsafe', 'its name is not valid UTF-8');
  if (dropDotSlash && name.startsWith('./')) name = name.slice(2);
  if (name === '') return dropDotSlash ? 'skip' : refused('entry-path-unsafe', 'it has no name');
  const kind = entryKind(record, name);
  if (kind === undefined) return refused('entry-type-forbidden', 'it is not a file, folder or symbolic link');
  const path = kind === 'directory' && name.endsWith('/') ? name.slice(0, -1) : name;
  const fault = pathFault(path, record);
  if (fault !== undefined) return refused('entry-path-unsafe', `its name is not allowed (${fault})`);
  const { extras } = record;
  if (extras instanceof RangeError) {
    throw new ArchiveDamage('structure-invalid', extras.message, record.name.toString());
  }
  if (kind === 'link' && record.size > limits.maxLinkBytes) {
    return refused('entry-path-unsafe', 'the link is too long');
  }
  return {
    header: entryHeader(record, path as EntryPath, kind, extras),
    rawName: record.name,
    flags: record.flags,
    method: record.method,
    time: record.time,
    date: record.date,
    crc: record.crc,
    size: record.size,
    packedSize: record.packedSize,
    offset: record.offset,
    extras,
    central: { at, bytes: record.bytes },
  };
}

function entryHeader(record: CentralRecord, path: EntryPath, kind: EntryKind, extras: Extras): EntryHeader {
  return {
    path,
    kind,
    size: kind === 'file' ? record.size : 0,
    mode: entryMode(record, kind),
    mtime: extras.exactMtime ?? extras.mtime ?? foreignTime(record),
    uid: extras.uid ?? 0,
    gid: extras.gid ?? 0,
  };
}

/** As other tools tell it that write no extended timestamp: NTFS's field, or the record's own local time. */
function foreignTime({ extra, time, date }: CentralRecord): bigint {
  const entry = Object.assign(new Entry(), {
    extraFields: rawFields(extra) ?? [],
    lastModFileTime: time,
    lastModFileDate: date,
  });
  return BigInt(Math.round(entry.getLastModDate().getTime())) * 1_000_000n;
}

const host = ({ madeBy }: CentralRecord): number => madeBy >>> 8;
const fromUnix = (record: CentralRecord): boolean => host(record) === hostUnix || host(record) === hostMac;
const unixMode = (record: CentralRecord): number => (fromUnix(record) ? record.attributes >>> 16 : 0);

/**
 * UTF-8 where the flag says so; else as other tools read it: Info-ZIP's Unicode path field, from Unix UTF-8 where it is
 * that (Info-ZIP's `zip` writes names as they are), or code page 437.
 */
function entryName(record: CentralRecord): string | undefined {
  const { name, flags, extra } = record;
  if ((flags & flagUtf8) !== 0) return isUtf8(name) ? name.toString() : undefined;
  try {
    return getFileNameLowLevel(
      fromUnix(record) && isUtf8(name) ? flagUtf8 : 0,
      name,
      [...(rawFields(extra) ?? [])],
      true,
    );
  } catch {
    return undefined;
  }
}

function entryKind(record: CentralRecord, name: string): EntryKind | undefined {
  const byName = name.endsWith('/') ? 'directory' : 'file';
  const type = unixMode(record) & typeMask;
  if (type === 0) return byName;
  const kind = kinds.get(type);
  // A folder's name ends with a slash (APPNOTE 4.4.17.1), and nothing else's does.
  return kind !== undefined && (kind === 'directory') === (byName === 'directory') ? kind : undefined;
}

function entryMode(record: CentralRecord, kind: EntryKind): number {
  const mode = unixMode(record);
  if (mode !== 0) return mode & 0o7777;
  return kind === 'directory' ? 0o755 : 0o644;
}

function pathFault(path: string, record: CentralRecord): string | undefined {
  // Elsewhere than on Unix a backslash separates folders; taken as a character it would hide them.
  if (!fromUnix(record) && path.includes('\\')) return 'backslash';
  return entryPathFault(path);
}
