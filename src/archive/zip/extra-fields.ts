import type { BlockIndex } from './block-index.js';
import { decodeOwnParts, encodeOwnParts } from './own-field.js';
import type { RecordFields } from './records.js';
import { fits32, splitTime, toNanoseconds } from './unix-seconds.js';
import type { Strength } from '../../compress/derive-key.js';

/**
 * Extra fields of zip records (APPNOTE 4.5). Public ones: zip64 sizes `0x0001`, Info-ZIP's extended timestamp `0x5455`
 * and uid/gid `0x7875`, WinZip's AES encryption `0x9901`. Ours: `0x4b42` ("BK"), in the central record only; no other reader needs it.
 */
export const idZip64 = 0x0001;
const idTimestamp = 0x5455;
const idOwner = 0x7875;
/** Of PKWARE's strong encryption (4.5.12), which is not understood. */
export const idStrong = 0x0017;
const idAes = 0x9901;
const idOwn = 0x4b42;

/** Where a field's data begins. */
const dataAt = 4;

function head(id: number, dataBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(dataAt);
  bytes.writeUInt16LE(id, 0);
  bytes.writeUInt16LE(dataBytes, 2);
  return bytes;
}

/** An extra field with room for so many bytes of data, to be written by the caller. */
function emptyField(id: number, dataBytes: number): Buffer {
  const field = Buffer.allocUnsafe(dataAt + dataBytes);
  field.writeUInt16LE(id, 0);
  field.writeUInt16LE(dataBytes, 2);
  return field;
}

export function zip64Extra(values: readonly number[]): Buffer {
  const field = emptyField(idZip64, values.length * 8);
  values.forEach((value, index) => field.writeBigUInt64LE(BigInt(value), dataAt + index * 8));
  return field;
}

function timestampExtra(seconds: bigint): Buffer {
  const field = emptyField(idTimestamp, 5);
  field[dataAt] = 1; // only the modification time follows
  field.writeInt32LE(Number(seconds), dataAt + 1);
  return field;
}

function ownerExtra(uid: number, gid: number): Buffer {
  const field = emptyField(idOwner, 11);
  field[dataAt] = 1; // version
  field[dataAt + 1] = 4;
  field.writeUInt32LE(uid, dataAt + 2);
  field[dataAt + 6] = 4;
  field.writeUInt32LE(gid, dataAt + 7);
  return field;
}

/** How an entry is encrypted (WinZip, "AES Encryption Information"; APPNOTE 7.2 leaves it to that). */
export interface AesField {
  /** AE-1 has a CRC beside the HMAC, AE-2 has none. */
  readonly version: 1 | 2;
  readonly strength: Strength;
  /** The compression method inside. */
  readonly method: number;
}

const aesVendor = 0x4541; // "AE"

function aesExtra({ version, strength, method }: AesField): Buffer {
  const field = emptyField(idAes, 7);
  field.writeUInt16LE(version, dataAt);
  field.writeUInt16LE(aesVendor, dataAt + 2);
  field[dataAt + 4] = strength;
  field.writeUInt16LE(method, dataAt + 5);
  return field;
}

type Metadata = Pick<RecordFields, 'mtime' | 'uid' | 'gid' | 'blocks' | 'aes'>;

/** Fields that both records carry. */
export function encodeLocalExtra({ mtime, uid, gid, aes }: Metadata): Buffer {
  const { seconds } = splitTime(mtime);
  const fields = [ownerExtra(uid, gid)];
  if (fits32(seconds)) fields.unshift(timestampExtra(seconds));
  if (aes !== undefined) fields.push(aesExtra(aes));
  return Buffer.concat(fields);
}

export function encodeCentralExtra(metadata: Metadata): Buffer {
  const own = encodeOwnParts(metadata.mtime, metadata.blocks);
  const shared = encodeLocalExtra(metadata);
  return own.length === 0 ? shared : Buffer.concat([shared, head(idOwn, own.length), own]);
}

/** What we understand of a record's extra fields. */
export interface Extras {
  /** The zip64 field's values, in the order of those that are needed; undefined without the field. */
  readonly zip64?: Buffer;
  /** Nanoseconds since 1970. */
  readonly mtime?: bigint;
  /** Our own field's exact time. */
  readonly exactMtime?: bigint;
  readonly uid?: number;
  readonly gid?: number;
  readonly blocks?: BlockIndex;
  /** Undefined also where it is encrypted in a way that is not known. */
  readonly aes?: AesField;
}

/** Throws a `RangeError` where a length leads beyond the field's end. */
export function decodeExtras(bytes: Buffer): Extras {
  const extras: { -readonly [K in keyof Extras]: Extras[K] } = {};
  // Without an iterator: this is done for each of a million files, for both its records.
  for (let at = 0; at < bytes.length;) {
    if (at + dataAt > bytes.length) throw new RangeError('an extra field is cut short');
    const end = at + dataAt + bytes.readUInt16LE(at + 2);
    if (end > bytes.length) throw new RangeError('an extra field is longer than its record');
    decodeField(bytes.readUInt16LE(at), bytes.subarray(at + dataAt, end), extras);
    at = end;
  }
  return extras;
}

/** One extra field as it lies in a record. */
export interface RawField {
  readonly id: number;
  readonly data: Buffer;
}

/** All fields, understood or not; a rest that is too short to be one is passed over. Undefined where one is too long. */
export function rawFields(bytes: Buffer): readonly RawField[] | undefined {
  const fields: RawField[] = [];
  for (let at = 0; at + dataAt <= bytes.length;) {
    const end = at + dataAt + bytes.readUInt16LE(at + 2);
    if (end > bytes.length) return undefined;
    fields.push({ id: bytes.readUInt16LE(at), data: bytes.subarray(at + dataAt, end) });
    at = end;
  }
  return fields;
}

/** Whether there is a field of this id, as far as the bytes can be read. */
export const hasField = (bytes: Buffer, wanted: number): boolean =>
  rawFields(bytes)?.some(({ id }) => id === wanted) === true;

function decodeField(id: number, data: Buffer, extras: { -readonly [K in keyof Extras]: Extras[K] }): void {
  switch (id) {
    case idZip64:
      extras.zip64 ??= data;
      return;
    case idTimestamp:
      // The first bit says that the modification time is there; it comes first.
      if (data.length >= 5 && ((data[0] ?? 0) & 1) === 1) extras.mtime = toNanoseconds(BigInt(data.readInt32LE(1)));
      return;
    case idOwner:
      decodeOwner(data, extras);
      return;
    case idAes:
      decodeAes(data, extras);
      return;
    case idOwn:
      decodeOwnParts(data, extras);
      return;
    default:
  }
}

function decodeOwner(data: Buffer, extras: { uid?: number; gid?: number }): void {
  const uidBytes = data[1] ?? 0;
  const gidBytes = data[2 + uidBytes] ?? 0;
  if (data[0] !== 1 || data.length !== 3 + uidBytes + gidBytes) return;
  if (uidBytes < 1 || uidBytes > 6 || gidBytes < 1 || gidBytes > 6) return;
  extras.uid = data.readUIntLE(2, uidBytes);
  extras.gid = data.readUIntLE(3 + uidBytes, gidBytes);
}

function decodeAes(data: Buffer, extras: { aes?: AesField }): void {
  if (data.length !== 7 || data.readUInt16LE(2) !== aesVendor) return;
  const [version, strength, method] = [data.readUInt16LE(0), data.readUInt8(4), data.readUInt16LE(5)];
  if ((version !== 1 && version !== 2) || (strength !== 1 && strength !== 2 && strength !== 3)) return;
  extras.aes ??= { version, strength, method };
}
