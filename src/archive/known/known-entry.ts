import type { PackedBlocks, PackedFile, PackedPlace } from '../archive.js';
import { contentSumBytes } from '../block-sums.js';
import { packedSumBytes } from '../../compress/packed-sum.js';
import type { FileStat } from '../../fs/file-stat.js';
import type { PieceReader } from './piece-reader.js';

/** By what a file is taken for the one that was backed up. */
export type KnownStat = Pick<FileStat, 'size' | 'mtime' | 'ctime' | 'ino'>;

/** What is remembered of a file in the last archive. */
export interface KnownEntry extends PackedFile {
  /** Its path in the archive. */
  readonly path: string;
  /** Undefined where the file itself does not tell whether it changed: a database, of which only blocks are taken over. */
  readonly stat: KnownStat | undefined;
  /** Its content was decoded and compared, then or when an earlier archive was made. */
  readonly isProven: boolean;
}

const hasStat = 1;
const proven = 2;
const deflated = 4;
const inBlocks = 8;
const withContents = 16;

/** As bytes: flags, path, sums and place, then stat and blocks where they are there. All numbers are little-endian. */
export function encodeEntry({ path, stat, isProven, sha256, place }: KnownEntry): Buffer {
  const name = Buffer.from(path);
  const { blocks } = place;
  const flags =
    (stat === undefined ? 0 : hasStat) |
    (isProven ? proven : 0) |
    (place.method === 8 ? deflated : 0) |
    (blocks === undefined ? 0 : inBlocks) |
    (blocks?.contents === undefined ? 0 : withContents);
  const fixed = Buffer.allocUnsafe(23);
  fixed.writeUInt8(flags, 0);
  fixed.writeUInt16LE(name.length, 1);
  fixed.writeUInt32LE(place.crc, 3);
  fixed.writeBigUInt64LE(BigInt(place.offset), 7);
  fixed.writeBigUInt64LE(BigInt(place.length), 15);
  const parts: Buffer[] = [fixed, name, Buffer.from(sha256, 'hex')];
  if (stat !== undefined) parts.push(encodeStat(stat));
  if (blocks === undefined) parts.push(place.sum ?? Buffer.alloc(packedSumBytes));
  else parts.push(...encodeBlocks(blocks));
  return Buffer.concat(parts);
}

function encodeStat({ size, mtime, ctime, ino }: KnownStat): Buffer {
  const bytes = Buffer.allocUnsafe(32);
  bytes.writeBigUInt64LE(BigInt(size), 0);
  bytes.writeBigInt64LE(mtime, 8);
  bytes.writeBigInt64LE(ctime, 16);
  bytes.writeBigUInt64LE(ino, 24);
  return bytes;
}

function encodeBlocks({ sizes, sums, contents, head, tail }: PackedBlocks): Buffer[] {
  const fixed = Buffer.allocUnsafe(6 + 4 * sizes.length);
  fixed.writeUInt32LE(sizes.length, 0);
  fixed.writeUInt8(head.length, 4);
  fixed.writeUInt8(tail.length, 5);
  sizes.forEach((size, index) => fixed.writeUInt32LE(size, 6 + 4 * index));
  return [fixed, head, tail, sums, ...(contents === undefined ? [] : [contents])];
}

/** Throws a `RangeError` where it is not what `encodeEntry` gives. */
export function decodeEntry(reader: PieceReader): KnownEntry {
  const fixed = reader.take(23);
  const flags = fixed.readUInt8(0);
  const path = reader.take(fixed.readUInt16LE(1)).toString();
  const sha256 = reader.take(contentSumBytes).toString('hex');
  const stat = (flags & hasStat) === 0 ? undefined : decodeStat(reader.take(32));
  const isInBlocks = (flags & inBlocks) !== 0;
  const place: PackedPlace = {
    offset: Number(fixed.readBigUInt64LE(7)),
    length: Number(fixed.readBigUInt64LE(15)),
    method: (flags & deflated) === 0 ? 0 : 8,
    crc: fixed.readUInt32LE(3),
    sum: isInBlocks ? undefined : reader.take(packedSumBytes),
    blocks: isInBlocks ? decodeBlocks(reader, (flags & withContents) !== 0) : undefined,
  };
  return { path, stat, isProven: (flags & proven) !== 0, sha256, place };
}

const decodeStat = (bytes: Buffer): KnownStat => ({
  size: Number(bytes.readBigUInt64LE(0)),
  mtime: bytes.readBigInt64LE(8),
  ctime: bytes.readBigInt64LE(16),
  ino: bytes.readBigUInt64LE(24),
});

function decodeBlocks(reader: PieceReader, hasContents: boolean): PackedBlocks {
  const fixed = reader.take(6);
  const count = fixed.readUInt32LE(0);
  const packed = reader.take(4 * count);
  const sizes = Array.from({ length: count }, (_, index) => packed.readUInt32LE(4 * index));
  const head = reader.take(fixed.readUInt8(4));
  const tail = reader.take(fixed.readUInt8(5));
  const sums = reader.take(count * packedSumBytes);
  return { sizes, sums, contents: hasContents ? reader.take(count * contentSumBytes) : undefined, head, tail };
}
