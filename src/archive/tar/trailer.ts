import { memberHeaderBytes } from '../../compress/deflate.js';

/** Where the members of the two proving files begin, in bytes from the archive's beginning. */
export interface Trailer {
  readonly sumsAt: number;
  readonly manifestAt: number;
}

/** Bytes of the empty member that ends an archive: header, `BK`, `BX`, an empty deflate stream, CRC-32 and size. */
export const trailerBytes = memberHeaderBytes + 20 + 2 + 8;

/** What every member of ours begins with, but for FEXTRA's length: RFC 1952 2.3, as `gzipMember` writes it. */
const fixedHeader = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255]);
const sizeSubfield = Buffer.from([0x42, 0x4b, 4, 0]);
const trailerSubfield = Buffer.from([0x42, 0x58, 16, 0]);
const emptyDeflate = Buffer.from([3, 0]);

/** The empty member that ends an archive: any gunzip reads it as nothing, `bkp` finds both offsets by one read. */
export function encodeTrailer({ sumsAt, manifestAt }: Trailer): Buffer {
  const member = Buffer.alloc(trailerBytes);
  fixedHeader.copy(member);
  member.writeUInt16LE(8 + 20, 10);
  sizeSubfield.copy(member, 12);
  member.writeUInt32LE(trailerBytes, 16);
  trailerSubfield.copy(member, 20);
  member.writeBigUInt64LE(BigInt(sumsAt), 24);
  member.writeBigUInt64LE(BigInt(manifestAt), 32);
  emptyDeflate.copy(member, 40);
  return member;
}

/** Undoes `encodeTrailer`, and nothing else: undefined where a single byte is another one. */
export function parseTrailer(member: Buffer): Trailer | undefined {
  if (member.length !== trailerBytes) return undefined;
  const sumsAt = member.readBigUInt64LE(24);
  const manifestAt = member.readBigUInt64LE(32);
  if (sumsAt > BigInt(Number.MAX_SAFE_INTEGER) || manifestAt > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  const trailer = { sumsAt: Number(sumsAt), manifestAt: Number(manifestAt) };
  return encodeTrailer(trailer).equals(member) ? trailer : undefined;
}

/** The size of the member that begins with these `memberHeaderBytes`; undefined where it is not one of ours. */
export function memberSize(header: Buffer): number | undefined {
  if (header.length < memberHeaderBytes || !header.subarray(0, 10).equals(fixedHeader)) return undefined;
  const extraBytes = header.readUInt16LE(10);
  if (extraBytes !== 8 && extraBytes !== 28) return undefined;
  return header.subarray(12, 16).equals(sizeSubfield) ? header.readUInt32LE(16) : undefined;
}
