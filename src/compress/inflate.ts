import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { applyCipher, NotAuthentic, openItem } from './aes.js';
import { memoryBehind } from './block-memory.js';
import { deriveKey, derivedBytes, saltBytes } from './derive-key.js';
import type { CipherPlace, InflatedItem, InflateItem, JobMap, OpenOrder } from './jobs.js';
import { memberHeaderBytes } from './deflate.js';
import { hex32, inflateItem, inflateWhole } from './inflate-item.js';
import { packedSum } from './packed-sum.js';
import { release } from './release.js';

/** An encrypted item as it was before; others as they are. */
function opened(data: Uint8Array, { seal }: InflateItem, open: OpenOrder | undefined): Uint8Array | InflatedItem {
  if (seal === undefined) return data;
  if (open === undefined) throw new Error('there is no passphrase for an encrypted entry');
  const { strength, keyAt } = seal;
  const material =
    keyAt === undefined
      ? deriveKey(open.passphrase, data.subarray(0, saltBytes[strength]), strength)
      : Buffer.from(open.keys.subarray(keyAt, keyAt + derivedBytes(strength)));
  try {
    return openItem({ material, strength }, Buffer.from(data.buffer, data.byteOffset, data.length));
  } catch (error) {
    if (!(error instanceof NotAuthentic)) throw error;
    return { damage: 'authentication-failed', message: error.message };
  } finally {
    material.fill(0);
  }
}

export function inflateBatch({ data, items, open }: JobMap['inflate-batch']['in']): JobMap['inflate-batch']['out'] {
  const kept = items.reduce((sum, item) => sum + (item.keep ? item.size : 0), 0);
  const out = Buffer.allocUnsafeSlow(kept);
  const results: InflatedItem[] = [];
  let read = 0;
  let written = 0;
  for (const item of items) {
    const packed = opened(data.subarray(read, read + item.length), item, open);
    const result = packed instanceof Uint8Array ? inflateItem(packed, item) : packed;
    read += item.length;
    if ('content' in result) {
      if (item.keep) out.set(result.content, written);
      results.push({ sha256: createHash('sha256').update(result.content).digest('hex') });
      if (item.method !== 0) release(result.content);
    } else {
      results.push(result);
    }
    // The room of a damaged item stays empty: the reader of the batch counts by declared sizes.
    if (item.keep) written += item.size;
  }
  open?.keys.fill(0);
  return { data: out, items: results };
}

/** An empty last block (RFC 1951 3.2.6): ends the stream that a full flush leaves open. */
const streamEnd = Buffer.from([3, 0]);

/** What a full flush leaves at the end of a block: an empty stored block (RFC 1951 3.2.4). */
const flushMark = Buffer.from([0, 0, 0xff, 0xff]);

export function inflateBlock(job: JobMap['inflate-block']['in']): JobMap['inflate-block']['out'] {
  const { data, size, last, cipher } = job;
  if (cipher !== undefined) applyPlace(data, cipher);
  // A stream that ends within a block, or does not end at its own end, would be read differently by others.
  if (!last && !flushMark.equals(data.subarray(-flushMark.length)))
    throw new Error('a block does not end with a flush');
  // A block in the middle that ends the stream itself leaves this end unread, and that is seen.
  const content = inflateWhole(last ? data : ended(data), size);
  if (content.length !== size) throw new Error(`holds ${content.length} bytes in a block of ${size}`);
  return { data: inPlaceOf(data, content) };
}

/** Back to where the packed bytes lay, if there is room, so that the memory is used again. */
function inPlaceOf(packed: Uint8Array, content: Buffer): Buffer {
  const room = memoryBehind(packed)?.subarray(0, content.length);
  if (room?.length !== content.length) return content;
  room.set(content);
  release(content);
  return room;
}

/** A block with the end of a stream behind it: in its own memory, where there is room. */
function ended(data: Uint8Array): Uint8Array {
  const end = data.byteOffset + data.length;
  const longer = memoryBehind(data)?.subarray(data.byteOffset, end + streamEnd.length);
  if (longer?.length !== data.length + streamEnd.length) return Buffer.concat([data, streamEnd]);
  longer.set(streamEnd, data.length);
  return longer;
}

export function cipherBlock({ data, cipher, traced = false }: JobMap['cipher']['in']): JobMap['cipher']['out'] {
  applyPlace(data, cipher);
  return traced ? { data, sum: packedSum(data) } : { data };
}

/** The key is this job's copy. */
function applyPlace(data: Uint8Array, { key, strength, position }: CipherPlace): void {
  const material = Buffer.from(key.buffer, key.byteOffset, key.length);
  applyCipher({ material, strength }, data, position);
  material.fill(0);
}

/** Undoes `gzipMember`, and nothing else: the header must be the one it writes. */
export function gunzipMember({ data, maxBytes }: JobMap['gunzip-member']['in']): JobMap['gunzip-member']['out'] {
  const view = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const end = view.length - 8;
  if (end < memberHeaderBytes) throw new Error('a gzip member is too short');
  const content = inflateWhole(view.subarray(memberHeaderBytes, end), maxBytes);
  if (content.length > maxBytes) throw new Error(`a gzip member holds more than ${maxBytes} bytes`);
  if (view.readUInt32LE(end + 4) !== content.length) throw new Error('a gzip member is not as long as it says');
  const crc = crc32(content);
  const declared = view.readUInt32LE(end);
  if (crc !== declared) throw new Error(`a gzip member: expected CRC-32 ${hex32(declared)}, found ${hex32(crc)}`);
  return { data: inPlaceOf(data, content) };
}
