import { decodeExtras, idZip64, rawFields, type Extras } from './extra-fields.js';
import { centralBytes, centralSignature, flagStrong, max32 } from './records.js';

/** A central record as found (APPNOTE 4.3.12), zip64 values put in their places. */
export interface CentralRecord {
  readonly madeBy: number;
  readonly flags: number;
  readonly method: number;
  readonly time: number;
  readonly date: number;
  readonly crc: number;
  readonly size: number;
  readonly packedSize: number;
  readonly offset: number;
  /** External file attributes. */
  readonly attributes: number;
  /** Views of what was decoded. */
  readonly name: Buffer;
  readonly extra: Buffer;
  /** Or why they cannot be understood. */
  readonly extras: Extras | RangeError;
  /** Bytes of the whole record. */
  readonly bytes: number;
}

/** Thrown where the central directory cannot be read on: `from` is where the record begins in the piece. */
export class MalformedRecord extends Error {
  readonly from: number;

  constructor(message: string, from: number) {
    super(message);
    this.from = from;
  }
}

/** How many bytes the record has that begins at `from`, where its fixed part is there. Throws `MalformedRecord`. */
export function centralRecordBytes(piece: Buffer, from: number): number {
  const signature = piece.readUInt32LE(from);
  if (signature !== centralSignature) {
    throw new MalformedRecord(`invalid central directory file header signature: 0x${signature.toString(16)}`, from);
  }
  if ((piece.readUInt16LE(from + 8) & flagStrong) !== 0) {
    throw new MalformedRecord('strong encryption is not supported', from);
  }
  return centralBytes + piece.readUInt16LE(from + 28) + piece.readUInt16LE(from + 30) + piece.readUInt16LE(from + 32);
}

/** Decodes the record at `from`, of `bytes` in all, which are there. Throws `MalformedRecord`. */
export function decodeCentral(piece: Buffer, from: number, bytes: number): CentralRecord {
  const nameEnd = from + centralBytes + piece.readUInt16LE(from + 28);
  const extra = piece.subarray(nameEnd, nameEnd + piece.readUInt16LE(from + 30));
  const extras = readExtras(extra, from);
  const packedSize = piece.readUInt32LE(from + 20);
  const size = piece.readUInt32LE(from + 24);
  const offset = piece.readUInt32LE(from + 42);
  const isWide = size === max32 || packedSize === max32 || offset === max32;
  const wide = isWide ? wideValues({ size, packedSize, offset }, extra, from) : undefined;
  return {
    madeBy: piece.readUInt16LE(from + 4),
    flags: piece.readUInt16LE(from + 8),
    method: piece.readUInt16LE(from + 10),
    time: piece.readUInt16LE(from + 12),
    date: piece.readUInt16LE(from + 14),
    crc: piece.readUInt32LE(from + 16),
    size: wide?.size ?? size,
    packedSize: wide?.packedSize ?? packedSize,
    offset: wide?.offset ?? offset,
    attributes: piece.readUInt32LE(from + 38),
    name: piece.subarray(from + centralBytes, nameEnd),
    extra,
    extras,
    bytes,
  };
}

/** A field that is longer than its record ends the directory; whatever else is wrong with them is that entry's alone. */
function readExtras(extra: Buffer, from: number): Extras | RangeError {
  try {
    return decodeExtras(extra);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    if (rawFields(extra) === undefined) {
      throw new MalformedRecord('extra field length exceeds extra field buffer size', from);
    }
    return error;
  }
}

interface Wide {
  readonly size: number;
  readonly packedSize: number;
  readonly offset: number;
}

/** The zip64 field has the values that do not fit into 32 bits, in this order (APPNOTE 4.5.3). */
function wideValues(narrow: Wide, extra: Buffer, from: number): Wide | undefined {
  const field = rawFields(extra)?.find(({ id }) => id === idZip64)?.data;
  if (field === undefined) return undefined;
  let at = 0;
  const take = (value: number, what: string): number => {
    if (value !== max32) return value;
    if (at + 8 > field.length) {
      throw new MalformedRecord(`zip64 extended information extra field does not include ${what}`, from);
    }
    at += 8;
    return Number(field.readBigUInt64LE(at - 8));
  };
  return {
    size: take(narrow.size, 'uncompressed size'),
    packedSize: take(narrow.packedSize, 'compressed size'),
    offset: take(narrow.offset, 'relative header offset'),
  };
}
