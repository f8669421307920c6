import { blockSize } from '../../base/limits.js';
import { indexOfBlocks, maxBlocksInPiece, type BlockIndex } from './block-index.js';
import { fits32, splitTime, toNanoseconds } from './unix-seconds.js';

/** Parts of our own extra field: tag (1 byte), length (2), value (docs/archive-format.md). */
const tagTime = 1;
const tagBlocks = 2;
const tagPieces = 3;

/** What all extra fields of one central record may take (their length has 16 bits), less the other fields' share. */
const maxIndexBytes = 65_535 - 128;
const sizeBytes = 4;

/** The parts that an entry needs, one behind the other. */
export function encodeOwnParts(mtime: bigint, blocks: readonly number[] | undefined): Buffer {
  const parts: Buffer[] = [];
  const part = (tag: number, value: Buffer): void => {
    const head = Buffer.from([tag, 0, 0]);
    head.writeUInt16LE(value.length, 1);
    parts.push(head, value);
  };
  const { seconds, nanoseconds } = splitTime(mtime);
  if (nanoseconds !== 0 || !fits32(seconds)) {
    const value = Buffer.alloc(12);
    value.writeBigInt64LE(seconds, 0);
    value.writeUInt32LE(nanoseconds, 8);
    part(tagTime, value);
  }
  const index = blocks === undefined ? undefined : indexOfBlocks(blocks, Math.floor(maxIndexBytes / sizeBytes));
  if (index?.unit === blockSize) part(tagBlocks, encodeSizes(index.sizes));
  else if (index !== undefined) {
    part(tagPieces, Buffer.concat([Buffer.from([index.unit / blockSize]), encodeSizes(index.sizes)]));
  }
  return Buffer.concat(parts);
}

function encodeSizes(sizes: readonly number[]): Buffer {
  const value = Buffer.alloc(sizes.length * sizeBytes);
  sizes.forEach((bytes, index) => value.writeUInt32LE(bytes, index * sizeBytes));
  return value;
}

function decodeSizes(value: Buffer): readonly number[] {
  return Array.from({ length: value.length / sizeBytes }, (_, index) => value.readUInt32LE(index * sizeBytes));
}

/** Takes the parts that are known into `extras`. Throws a `RangeError` where a length leads beyond the field's end. */
export function decodeOwnParts(data: Buffer, extras: { exactMtime?: bigint; blocks?: BlockIndex }): void {
  let at = 0;
  while (at + 3 <= data.length) {
    const tag = data[at];
    const end = at + 3 + data.readUInt16LE(at + 1);
    if (end > data.length) throw new RangeError('our own extra field is cut short');
    decodePart(tag, data.subarray(at + 3, end), extras);
    at = end;
  }
  if (at !== data.length) throw new RangeError('our own extra field is cut short');
}

function decodePart(
  tag: number | undefined,
  value: Buffer,
  extras: { exactMtime?: bigint; blocks?: BlockIndex },
): void {
  if (tag === tagTime && value.length === 12) {
    extras.exactMtime = toNanoseconds(value.readBigInt64LE(0), value.readUInt32LE(8));
  }
  if (tag === tagBlocks && value.length % sizeBytes === 0) {
    extras.blocks = { unit: blockSize, sizes: decodeSizes(value) };
  }
  const each = value[0] ?? 0;
  if (tag === tagPieces && value.length % sizeBytes === 1 && each >= 1 && each <= maxBlocksInPiece) {
    extras.blocks = { unit: each * blockSize, sizes: decodeSizes(value.subarray(1)) };
  }
}
