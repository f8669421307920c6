import { createHash } from 'node:crypto';
import { constants, crc32, deflateRawSync, type ZlibOptions } from 'node:zlib';
import { sealBytes, sealItem } from './aes.js';
import { memoryBehind } from './block-memory.js';
import { derivedBytes } from './derive-key.js';
import type { BlockTrace, JobMap, Method, PackedItem, SealOrder } from './jobs.js';
import { packedSum, packedSumBytes, sumAsStored } from './packed-sum.js';
import { release } from './release.js';

/** Files at least this large are judged by a sample first, so that media does not cost a full compression. */
const sampledFrom = 64 * 1024;
const sampleBytes = 16 * 1024;
/** What a sample must shrink to, as a share, for the rest to be worth deflating. */
const worthwhile = 0.97;

/** Whether deflate would shrink `data`; judged by samples of its beginning, middle and end. */
function shrinks(data: Uint8Array): boolean {
  if (data.length < sampledFrom) return true;
  const starts = [0, (data.length - sampleBytes) >>> 1, data.length - sampleBytes];
  return starts.some((start) => {
    const sample = data.subarray(start, start + sampleBytes);
    const packed = deflateRawSync(sample, { level: 1, chunkSize: 2 * sampleBytes });
    const { length } = packed;
    release(packed);
    return length < sampleBytes * worthwhile;
  });
}

/** A stored block of deflate holds at most so many bytes (RFC 1951 3.2.4). */
const storedBytes = 0xffff;

const storedHeader = 5;

/** Bytes of content as stored blocks, with the empty one at the end. */
const storedSize = (bytes: number): number => bytes + storedHeader * (Math.ceil(bytes / storedBytes) + 1);

/**
 * `data` as stored blocks; ended by an empty one, as a full flush ends it, or as the last of the stream. In the memory of
 * `data` from `start` on, where that has the room, so that media is not copied to fresh memory.
 */
function stored(data: Uint8Array, last: boolean, start = 0): Buffer {
  const size = storedSize(data.length);
  const out = roomAt(data, start, size) ?? Buffer.allocUnsafeSlow(size);
  const header = (at: number, length: number, final: boolean): void => {
    out.writeUInt8(final ? 1 : 0, at);
    out.writeUInt16LE(length, at + 1);
    out.writeUInt16LE(length ^ 0xffff, at + 3);
  };
  // From behind: in its own memory each piece moves to where only later ones were.
  for (let piece = Math.ceil(data.length / storedBytes) - 1; piece >= 0; piece -= 1) {
    const content = data.subarray(piece * storedBytes, (piece + 1) * storedBytes);
    const at = piece * (storedBytes + storedHeader);
    out.set(content, at + storedHeader);
    header(at, content.length, false);
  }
  header(size - storedHeader, 0, last);
  return out;
}

/** Results go to where the data of the job lay, so that its memory is used again; undefined where there is no room. */
function roomAt(data: Uint8Array, start: number, bytes: number): Buffer | undefined {
  // Only what lies at the beginning of its memory can be moved from behind without writing over itself.
  const memory = data.byteOffset === 0 ? memoryBehind(data) : undefined;
  return memory !== undefined && start + bytes <= memory.length ? memory.subarray(start, start + bytes) : undefined;
}

function movedTo(place: Buffer | undefined, packed: Buffer): Buffer {
  if (place === undefined) return packed;
  place.set(packed);
  release(packed);
  return place;
}

/** zlib's own bound of what deflate can give, so that the result is one chunk; zlib asks for at least 64. */
const roomFor = (bytes: number): number => Math.max(64, bytes + (bytes >>> 10) + 64);

/** What zlib looks ahead, in bytes: matches reach as far back as the window less this (deflate.h). */
const lookAhead = 262;

/**
 * zlib makes its window and tables anew for each file: for a small one that takes a third of the time, unless they are only as
 * large as it needs. The result is the same.
 */
function windowFor(bytes: number): ZlibOptions {
  const windowBits = Math.max(10, 32 - Math.clz32(bytes + lookAhead - 1));
  return windowBits < 15 ? { windowBits, memLevel: windowBits - 6 } : {};
}

function deflate(data: Uint8Array, level: number, finishFlush: number): Buffer {
  return deflateRawSync(data, { level, finishFlush, chunkSize: roomFor(data.length), ...windowFor(data.length) });
}

/** Deflated, or as stored deflate blocks where that is not larger: valid deflate either way. What `data` held may be gone then. */
function smallest(data: Uint8Array, level: number, last: boolean, start = 0): Buffer {
  if (level === 0 || !shrinks(data)) return stored(data, last, start);
  const packed = deflate(data, level, last ? constants.Z_FINISH : constants.Z_FULL_FLUSH);
  if (packed.length < data.length) return movedTo(roomAt(data, start, packed.length), packed);
  release(packed);
  return stored(data, last, start);
}

export function deflateBlock(job: JobMap['deflate-block']['in']): JobMap['deflate-block']['out'] {
  const { data, level, last, trace } = job;
  return tracedBlock(data, trace, () => smallest(data, level, last));
}

/** Packs a block, unless it is the known one, and tells of it what is wanted. */
function tracedBlock(
  data: Uint8Array,
  trace: BlockTrace | undefined,
  pack: () => Buffer,
): JobMap['deflate-block']['out'] {
  if (trace === undefined) return { data: pack() };
  const content = trace.content || trace.known !== undefined ? createHash('sha256').update(data).digest() : undefined;
  if (trace.known !== undefined && content?.equals(trace.known) === true) return { data, content, isKnown: true };
  const packed = pack();
  return {
    data: packed,
    ...(trace.sum ? { sum: packedSum(packed) } : {}),
    ...(content === undefined ? {} : { content }),
  };
}

/** A small file: deflated, or as it is where that is not smaller. */
function packItem(content: Uint8Array, level: number): { readonly method: Method; readonly bytes: Uint8Array } {
  const isWorthwhile = level > 0 && content.length > 0 && shrinks(content);
  if (!isWorthwhile) return { method: 0, bytes: content };
  const packed = deflate(content, level, constants.Z_FINISH);
  if (packed.length < content.length) return { method: 8, bytes: packed };
  release(packed);
  return { method: 0, bytes: content };
}

export function deflateBatch(job: JobMap['deflate-batch']['in']): JobMap['deflate-batch']['out'] {
  const { data, lengths, level, seal, traced = false } = job;
  const items: PackedItem[] = [];
  const sealed = seal === undefined ? 0 : lengths.filter((length) => length > 0).length;
  // Packed items are never larger than their content, so they fit where it was.
  const out = scratchOf(data.length + sealed * sealBytes(3));
  const keys = Buffer.alloc(seal?.keepKeys === true ? sealed * derivedBytes(3) : 0);
  const sums = Buffer.alloc(traced ? lengths.length * packedSumBytes : 0);
  let read = 0;
  let written = 0;
  let kept = 0;
  for (const length of lengths) {
    const content = data.subarray(read, read + length);
    read += length;
    const { method, bytes } = packItem(content, level);
    const isSealed = seal !== undefined && length > 0;
    const place = out.subarray(written, written + bytes.length + (isSealed ? sealBytes(3) : 0));
    kept += put(bytes, place, isSealed ? seal : undefined, keys.subarray(kept));
    if (method === 8) release(bytes);
    written += place.length;
    const sum = createHash('sha256').update(content).digest();
    if (traced) tracedSum(place, method === 0 && !isSealed ? sum : undefined).copy(sums, items.length * packedSumBytes);
    items.push({ method, length: place.length, crc: isSealed ? 0 : crc32(content), sha256: sum.toString('hex') });
  }
  // The scratch is used again.
  const place = roomAt(data, 0, written) ?? Buffer.allocUnsafeSlow(written);
  place.set(out.subarray(0, written));
  return { data: place, items, keys, sums };
}

/** A packed item comes to its place, encrypted where that is asked for. Gives how much of `keys` its key takes, where that is kept. */
function put(bytes: Uint8Array, place: Buffer, seal: SealOrder | undefined, keys: Buffer): number {
  if (seal === undefined) {
    place.set(bytes);
    return 0;
  }
  const { material } = sealItem(seal.passphrase, bytes, place);
  const kept = seal.keepKeys ? material.copy(keys) : 0;
  material.fill(0);
  return kept;
}

/** `content`: the SHA-256 of what is packed as it is. */
const tracedSum = (packed: Uint8Array, content: Buffer | undefined): Buffer =>
  content === undefined ? packedSum(packed) : sumAsStored(content);

let scratch = Buffer.alloc(0);

/** Memory of this thread, valid until it is asked for again. */
function scratchOf(bytes: number): Buffer {
  if (scratch.length < bytes) scratch = Buffer.allocUnsafeSlow(bytes);
  return scratch;
}

/** Bytes of our members' header: RFC 1952's ten, XLEN, and the subfield `BK` with the whole member's size. */
export const memberHeaderBytes = 20;
const trailerBytes = 8;

/** A gzip member whose header tells its own size, as blocked gzip does it (RFC 1952 2.3.1.1). */
export function gzipMember({ data, level, trace }: JobMap['gzip-member']['in']): JobMap['gzip-member']['out'] {
  return tracedBlock(data, trace, () => memberOf(data, level));
}

function memberOf(data: Uint8Array, level: number): Buffer {
  const crc = crc32(data);
  const packed = smallest(data, level, true, memberHeaderBytes);
  const bytes = memberHeaderBytes + packed.length + trailerBytes;
  const member = roomAt(data, 0, bytes) ?? Buffer.allocUnsafeSlow(bytes);
  // ID1 ID2, CM deflate, FLG FEXTRA, MTIME none, XFL none, OS unknown, XLEN 8
  member.set([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 8, 0, 0x42, 0x4b, 4, 0]);
  member.writeUInt32LE(member.length, 16);
  // Where it lies already there is nothing to move.
  member.set(packed, memberHeaderBytes);
  member.writeUInt32LE(crc, member.length - 8);
  member.writeUInt32LE(data.length, member.length - 4);
  return member;
}
