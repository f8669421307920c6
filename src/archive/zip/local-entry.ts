import { hasDescriptor, type ZipEntry } from './zip-entry.js';
import type { AesField } from './extra-fields.js';
import {
  decodeLocal,
  flagDescriptor,
  localBytes,
  localRecordBytes,
  matchDescriptor,
  max32,
  type LocalRecord,
} from './records.js';
import type { Window } from '../window.js';
import { ArchiveDamage } from '../../base/damage.js';

/** A data descriptor is at most this long: signature, CRC, two 8-byte sizes. */
const descriptorMaxBytes = 24;

/** Where an entry's bytes lie in the file. */
export interface Placed {
  readonly dataStart: number;
  /** Behind content and descriptor. */
  readonly end: number;
  /** What the local record contradicts the central one in. */
  readonly contradiction: string | undefined;
}

const damaged = (message: string, entry: ZipEntry): ArchiveDamage =>
  new ArchiveDamage('structure-invalid', message, entry.header.path);

/**
 * Reads an entry's local record and descriptor and compares them with its central record. `limit`: where the central
 * directory begins. Throws `ArchiveDamage` where there is no such record.
 */
export async function placeEntry(window: Window, entry: ZipEntry, limit: number): Promise<Placed> {
  const { offset, packedSize } = entry;
  if (offset + localBytes > limit) throw damaged('its local record lies behind the entries', entry);
  const bytes = localRecordBytes(await window.at(offset, localBytes));
  if (bytes === undefined) throw damaged('there is no local record where the central one says', entry);
  const dataStart = offset + bytes;
  const dataEnd = dataStart + packedSize;
  if (dataEnd > limit) throw damaged('its content reaches into the central directory', entry);
  const local = parseLocal(await window.at(offset, bytes), entry);
  let contradiction = contradictionOf(local, entry);
  let end = dataEnd;
  if (hasDescriptor(entry)) {
    const widths = descriptorWidths(local, entry);
    const behind = await window.at(dataEnd, Math.min(descriptorMaxBytes, limit - dataEnd));
    const found = widths.map((wide) => matchDescriptor(behind, entry, wide)).find((length) => length !== undefined);
    if (found === undefined) contradiction ??= 'data descriptor';
    end += found ?? 0;
  }
  return { dataStart, end, contradiction };
}

/**
 * Whether sizes in the descriptor have 8 bytes: "if the zip64 extended information extra field is present for the file" (APPNOTE
 * 4.3.9.2). The central record may have one for its offset alone, which says nothing of the sizes.
 */
function descriptorWidths(local: LocalRecord, entry: ZipEntry): readonly boolean[] {
  if (local.extras.zip64 !== undefined) return [true];
  return entry.extras.zip64 === undefined ? [false] : [true, false];
}

function parseLocal(record: Buffer, entry: ZipEntry): LocalRecord {
  try {
    return decodeLocal(record);
  } catch (error) {
    if (error instanceof RangeError) throw damaged(error.message, entry);
    throw error;
  }
}

/** The first thing the two records do not agree in, by name. */
export function contradictionOf(local: LocalRecord, entry: ZipEntry): string | undefined {
  const checks: readonly (readonly [string, boolean])[] = [
    ['name', local.name.equals(entry.rawName)],
    ['flags', local.flags === entry.flags],
    ['method', local.method === entry.method],
    ['time', local.time === entry.time && local.date === entry.date],
    ['CRC and sizes', sizesAgree(local, entry)],
    ['encryption', sameEncryption(local.extras.aes, entry.extras.aes)],
    ['extended timestamp', both(local.extras.mtime, entry.extras.mtime)],
    ['owner', both(local.extras.uid, entry.extras.uid) && both(local.extras.gid, entry.extras.gid)],
  ];
  return checks.find(([, agrees]) => !agrees)?.[0];
}

/** Some tools write a field in one of the two records only. */
const both = <T>(a: T | undefined, b: T | undefined): boolean => a === undefined || b === undefined || a === b;

const sameEncryption = (a: AesField | undefined, b: AesField | undefined): boolean =>
  a?.version === b?.version && a?.strength === b?.strength && a?.method === b?.method;

function sizesAgree(local: LocalRecord, entry: ZipEntry): boolean {
  const { size, packedSize } = wideSizes(local);
  const pairs = [
    [local.crc, entry.crc],
    [size, entry.size],
    [packedSize, entry.packedSize],
  ] as const;
  // With a descriptor the local record has zeros (APPNOTE 4.4.4), or what was known already (libarchive: the size).
  const later = (local.flags & flagDescriptor) !== 0;
  return pairs.every(([here, there]) => here === there || (later && here === 0));
}

function wideSizes(local: LocalRecord): { readonly size: number; readonly packedSize: number } {
  const wide = local.extras.zip64;
  let at = 0;
  const take = (narrow: number): number => {
    if (narrow !== max32 || wide === undefined || wide.length < at + 8) return narrow;
    const value = Number(wide.readBigUInt64LE(at));
    at += 8;
    return value;
  };
  return { size: take(local.size), packedSize: take(local.packedSize) };
}
