import {
  decodeExtras,
  encodeCentralExtra,
  encodeLocalExtra,
  zip64Extra,
  type AesField,
  type Extras,
} from './extra-fields.js';

/**
 * The records of a zip file, as PKWARE's APPNOTE 6.3.10 defines them; section numbers are its own. All integers are
 * little-endian. Encoding is for what we write, decoding for what anyone wrote.
 */

export const localSignature = 0x04034b50;
const descriptorSignature = 0x08074b50;
export const centralSignature = 0x02014b50;
const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locatorSignature = 0x07064b50;

export const localBytes = 30;
export const centralBytes = 46;
export const endBytes = 22;
export const end64Bytes = 56;
export const locatorBytes = 20;

/** General purpose bits (4.4.4): encrypted, sizes in a data descriptor, strong encryption, names in UTF-8. */
export const flagEncrypted = 0x0001;
export const flagDescriptor = 0x0008;
export const flagStrong = 0x0040;
export const flagUtf8 = 0x0800;

/** Compression method of an entry encrypted as WinZip does it; the real one is in its extra field (4.4.5, 99). */
export const methodAes = 99;

const max16 = 0xffff;
export const max32 = 0xffffffff;
/** Host system in "version made by" (4.4.2): external attributes are Unix modes. */
export const hostUnix = 3;

/** What is written of one entry in its local and central record. */
export interface RecordFields {
  /** UTF-8; a folder's ends with `/`. */
  readonly name: Buffer;
  readonly method: number;
  /** It is encrypted: its method is 99, its CRC 0, and its packed size counts what encryption adds. */
  readonly aes?: AesField | undefined;
  /** Unix mode with its type bits. */
  readonly mode: number;
  /** Nanoseconds since 1970. */
  readonly mtime: bigint;
  readonly uid: number;
  readonly gid: number;
  readonly crc: number;
  readonly size: number;
  readonly packedSize: number;
  /** Sizes and CRC follow the content; the local record has none (4.3.9). */
  readonly descriptor: boolean;
  /** The descriptor's sizes have 8 bytes each. Decided before the content is known, by its size. */
  readonly large: boolean;
  /** Position of the local record; central record only. */
  readonly offset: number;
  /** Compressed sizes of the 1 MiB blocks, where the entry was written in blocks; central record only. */
  readonly blocks?: readonly number[];
}

/** A modification time as MS-DOS keeps it (4.4.6), in UTC; out of its range: its nearest end. */
export function dosTime(mtime: bigint): { readonly time: number; readonly date: number } {
  const at = new Date(Number(mtime / 1_000_000n));
  const year = at.getUTCFullYear();
  if (!(year >= 1980)) return { time: 0, date: (1 << 5) | 1 };
  if (year > 2107) return { time: 0xbf7d, date: 0xff9f };
  return {
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >>> 1),
    date: ((year - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
  };
}

/** 4.4.3: 1.0 for stored, 2.0 for deflated and folders, 4.5 where zip64 is used, 5.1 for AES. */
function versionNeeded(fields: RecordFields, zip64: boolean): number {
  if (fields.aes !== undefined) return versionAes;
  if (zip64) return 45;
  return fields.method === 8 || fields.descriptor || fields.name.at(-1) === 0x2f ? 20 : 10;
}

const versionAes = 51;

const flags = (fields: RecordFields): number =>
  flagUtf8 | (fields.descriptor ? flagDescriptor : 0) | (fields.aes === undefined ? 0 : flagEncrypted);

/** 4.3.7 */
export function encodeLocal(fields: RecordFields): Buffer {
  const zip64 = fields.descriptor && fields.large;
  const extra = Buffer.concat([zip64 ? zip64Extra([0, 0]) : Buffer.alloc(0), encodeLocalExtra(fields)]);
  const record = Buffer.allocUnsafe(localBytes + fields.name.length + extra.length);
  const { time, date } = dosTime(fields.mtime);
  const sizes = fields.descriptor ? (zip64 ? max32 : 0) : undefined;
  record.writeUInt32LE(localSignature, 0);
  record.writeUInt16LE(versionNeeded(fields, zip64), 4);
  record.writeUInt16LE(flags(fields), 6);
  record.writeUInt16LE(fields.method, 8);
  record.writeUInt16LE(time, 10);
  record.writeUInt16LE(date, 12);
  record.writeUInt32LE(fields.descriptor ? 0 : fields.crc, 14);
  record.writeUInt32LE(sizes ?? fields.packedSize, 18);
  record.writeUInt32LE(sizes ?? fields.size, 22);
  record.writeUInt16LE(fields.name.length, 26);
  record.writeUInt16LE(extra.length, 28);
  record.set(fields.name, localBytes);
  record.set(extra, localBytes + fields.name.length);
  return record;
}

/** 4.3.9, with the signature that 4.3.9.3 recommends. */
export function encodeDescriptor(fields: Pick<RecordFields, 'crc' | 'size' | 'packedSize' | 'large'>): Buffer {
  const record = Buffer.alloc(fields.large ? 24 : 16);
  record.writeUInt32LE(descriptorSignature, 0);
  record.writeUInt32LE(fields.crc, 4);
  if (fields.large) {
    record.writeBigUInt64LE(BigInt(fields.packedSize), 8);
    record.writeBigUInt64LE(BigInt(fields.size), 16);
  } else {
    record.writeUInt32LE(fields.packedSize, 8);
    record.writeUInt32LE(fields.size, 12);
  }
  return record;
}

/** 4.3.12; sizes and offset move into the zip64 field where they (or the descriptor's) need it (4.5.3). */
export function encodeCentral(fields: RecordFields): Buffer {
  const wide = [
    fields.size >= max32 || fields.large ? fields.size : undefined,
    fields.packedSize >= max32 || fields.large ? fields.packedSize : undefined,
    fields.offset >= max32 ? fields.offset : undefined,
  ] as const;
  const values = wide.filter((value) => value !== undefined);
  const zip64 = values.length > 0;
  const extra = Buffer.concat([zip64 ? zip64Extra(values) : Buffer.alloc(0), encodeCentralExtra(fields)]);
  const record = Buffer.alloc(centralBytes + fields.name.length + extra.length);
  const { time, date } = dosTime(fields.mtime);
  record.writeUInt32LE(centralSignature, 0);
  record.writeUInt16LE((hostUnix << 8) | (fields.aes === undefined ? 45 : versionAes), 4);
  record.writeUInt16LE(versionNeeded(fields, zip64), 6);
  record.writeUInt16LE(flags(fields), 8);
  record.writeUInt16LE(fields.method, 10);
  record.writeUInt16LE(time, 12);
  record.writeUInt16LE(date, 14);
  record.writeUInt32LE(fields.crc, 16);
  record.writeUInt32LE(wide[1] === undefined ? fields.packedSize : max32, 20);
  record.writeUInt32LE(wide[0] === undefined ? fields.size : max32, 24);
  record.writeUInt16LE(fields.name.length, 28);
  record.writeUInt16LE(extra.length, 30);
  // The lower half of the external attributes is MS-DOS's (4.4.15): 0x10 is its folder bit.
  record.writeUInt32LE(((fields.mode << 16) | (fields.name.at(-1) === 0x2f ? 0x10 : 0)) >>> 0, 38);
  record.writeUInt32LE(wide[2] === undefined ? fields.offset : max32, 42);
  record.set(fields.name, centralBytes);
  record.set(extra, centralBytes + fields.name.length);
  return record;
}

export interface Directory {
  readonly entries: number;
  readonly offset: number;
  readonly bytes: number;
}

/** 4.3.14 to 4.3.16: the end of the central directory, with the zip64 records before it where a value needs them. */
export function encodeEnd(directory: Directory, comment: Buffer): Buffer {
  const { entries, offset, bytes } = directory;
  const zip64 = entries >= max16 || offset >= max32 || bytes >= max32;
  const end = Buffer.alloc(endBytes);
  end.writeUInt32LE(endSignature, 0);
  end.writeUInt16LE(Math.min(entries, max16), 8);
  end.writeUInt16LE(Math.min(entries, max16), 10);
  end.writeUInt32LE(Math.min(bytes, max32), 12);
  end.writeUInt32LE(Math.min(offset, max32), 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([zip64 ? encodeEnd64(directory) : Buffer.alloc(0), end, comment]);
}

function encodeEnd64({ entries, offset, bytes }: Directory): Buffer {
  const record = Buffer.alloc(end64Bytes + locatorBytes);
  record.writeUInt32LE(end64Signature, 0);
  record.writeBigUInt64LE(BigInt(end64Bytes - 12), 4);
  record.writeUInt16LE((hostUnix << 8) | 45, 12);
  record.writeUInt16LE(45, 14);
  record.writeBigUInt64LE(BigInt(entries), 24);
  record.writeBigUInt64LE(BigInt(entries), 32);
  record.writeBigUInt64LE(BigInt(bytes), 40);
  record.writeBigUInt64LE(BigInt(offset), 48);
  record.writeUInt32LE(locatorSignature, end64Bytes);
  record.writeBigUInt64LE(BigInt(offset + bytes), end64Bytes + 8);
  record.writeUInt32LE(1, end64Bytes + 16);
  return record;
}

/** A local record as found. */
export interface LocalRecord {
  readonly versionNeeded: number;
  readonly flags: number;
  readonly method: number;
  readonly time: number;
  readonly date: number;
  readonly crc: number;
  readonly size: number;
  readonly packedSize: number;
  readonly name: Buffer;
  readonly extras: Extras;
  /** Bytes of the whole record. */
  readonly bytes: number;
}

/** How many bytes the local record that begins with these 30 has; undefined where they are not one. */
export function localRecordBytes(fixed: Buffer): number | undefined {
  if (fixed.readUInt32LE(0) !== localSignature) return undefined;
  return localBytes + fixed.readUInt16LE(26) + fixed.readUInt16LE(28);
}

/** `record` is exactly one local record. Throws a `RangeError` where its extra fields are malformed. */
export function decodeLocal(record: Buffer): LocalRecord {
  const nameEnd = localBytes + record.readUInt16LE(26);
  return {
    versionNeeded: record.readUInt16LE(4),
    flags: record.readUInt16LE(6),
    method: record.readUInt16LE(8),
    time: record.readUInt16LE(10),
    date: record.readUInt16LE(12),
    crc: record.readUInt32LE(14),
    packedSize: record.readUInt32LE(18),
    size: record.readUInt32LE(22),
    name: record.subarray(localBytes, nameEnd),
    extras: decodeExtras(record.subarray(nameEnd)),
    bytes: record.length,
  };
}

/**
 * A data descriptor at the beginning of `bytes`, which must say exactly this: its length in bytes, or undefined. The
 * signature is optional (4.3.9.3), the sizes have 4 or 8 bytes.
 */
export function matchDescriptor(
  bytes: Buffer,
  expected: Pick<RecordFields, 'crc' | 'size' | 'packedSize'>,
  large: boolean,
): number | undefined {
  if (!large && (expected.size > max32 || expected.packedSize > max32)) return undefined;
  const signed = encodeDescriptor({ ...expected, large });
  if (bytes.subarray(0, signed.length).equals(signed)) return signed.length;
  const bare = signed.subarray(4);
  return bytes.subarray(0, bare.length).equals(bare) ? bare.length : undefined;
}

export interface FoundEnd {
  readonly at: number;
  readonly comment: Buffer;
  /** Bytes of the file behind record and comment; negative where the comment is cut short. */
  readonly behind: number;
}

/** The end of the central directory in `tail`, which is the file's last bytes; undefined without one. */
export function findEnd(tail: Buffer): FoundEnd | undefined {
  for (let at = tail.length - endBytes; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== endSignature) continue;
    // The first one from behind counts, as for other readers: a second meaning is not looked for.
    const end = at + endBytes + tail.readUInt16LE(at + 20);
    return { at, comment: tail.subarray(at + endBytes, end), behind: tail.length - end };
  }
  return undefined;
}
