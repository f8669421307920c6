import { Readable, pipeline } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import type { BlockIndex } from './block-index.js';
import type { ZipEntry } from './zip-entry.js';
import { sealOf, unsealed } from './entry-seal.js';
import { LargeOpening } from './large-opening.js';
import type { Unlocked } from './unlocked.js';
import { metered } from '../sums.js';
import type { ByteSource } from '../../base/byte-source.js';
import { ArchiveDamage } from '../../base/damage.js';
import { errorText, systemCode } from '../../base/errors.js';
import { blockSize } from '../../base/limits.js';
import { blockRoom } from '../../compress/block-memory.js';
import { hex32 } from '../../compress/inflate-item.js';
import { JobFailure, type Compressor } from '../../compress/compressor.js';

/** An entry and where its data begins. */
export interface LargeContent {
  readonly source: ByteSource;
  readonly dataStart: number;
  readonly entry: ZipEntry;
  readonly pool: Compressor;
  /** There where the entry is encrypted. */
  readonly unlocked: Unlocked | undefined;
}

/** The content of a large entry, in chunks, each valid until the next is asked for; `done` gets its SHA-256, where it is given. Throws `ArchiveDamage`. */
export async function* largeContent(large: LargeContent, done?: (sha256: string) => void): AsyncGenerator<Buffer> {
  const { entry } = large;
  const expected = unsealed(entry).crc;
  const opening = await openLarge(large);
  let crc = 0;
  try {
    for await (const chunk of metered(entry.header, decoded(large, opening), done)) {
      if (expected !== undefined) crc = crc32(chunk, crc);
      yield chunk;
    }
    await opening?.prove();
  } catch (error) {
    if (error instanceof JobFailure) throw undecodable(entry, error.message);
    throw error;
  } finally {
    opening?.forget();
  }
  if (expected !== undefined && crc !== expected) {
    const message = `expected CRC-32 ${hex32(expected)}, found ${hex32(crc)}`;
    throw new ArchiveDamage('crc-mismatch', message, entry.header.path);
  }
}

async function openLarge(large: LargeContent): Promise<LargeOpening | undefined> {
  const { entry, pool, unlocked } = large;
  if (sealOf(entry) === undefined) return undefined;
  if (unlocked === undefined) throw undecodable(entry, 'it is encrypted');
  return LargeOpening.begin(large, pool, unlocked);
}

const undecodable = (entry: ZipEntry, message: string): ArchiveDamage =>
  new ArchiveDamage('content-undecodable', message, entry.header.path);

function decoded(large: LargeContent, opening: LargeOpening | undefined): AsyncIterable<Buffer> {
  const { entry, pool, source } = large;
  const start = opening?.start ?? large.dataStart;
  const blocks = usableBlocks(entry);
  const { method, packedSize } = unsealed(entry);
  if (method === 8 && blocks !== undefined) {
    return inBlocksInflated({ source, start, entry, blocks, pool, opening });
  }
  const plain = pieces(source, start, packedSize);
  const packed = opening === undefined ? plain : decrypted(plain, opening, pool);
  return method === 0 ? packed : inflated(packed, entry);
}

async function* pieces(source: ByteSource, start: number, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < length; at += blockSize) {
    yield await source.read(start + at, Math.min(blockSize, length - at));
  }
}

async function* decrypted(
  encrypted: AsyncIterable<Buffer>,
  opening: LargeOpening,
  pool: Compressor,
): AsyncGenerator<Buffer> {
  const running: Promise<Buffer>[] = [];
  const take = async (): Promise<Buffer> => (await running.shift()) ?? Buffer.alloc(0);
  let at = 0;
  for await (const piece of encrypted) {
    const { length } = piece;
    opening.seen(piece);
    const job = opening.decrypt(ownBuffer(piece), at);
    job.catch(() => undefined);
    running.push(job);
    at += length;
    if (running.length > pool.width) yield await take();
  }
  while (running.length > 0) yield await take();
}

/** The block index, if it fits the entry; it is only a hint, and what it leads to is compared with CRC and sums. */
function usableBlocks(entry: ZipEntry): BlockIndex | undefined {
  const { blocks } = entry.extras;
  if (blocks === undefined || blocks.sizes.length !== Math.ceil(entry.size / blocks.unit)) return undefined;
  // A block that deflate could not shrink is stored, and grows by a few bytes: anything larger is not ours.
  if (blocks.sizes.some((bytes) => bytes > blocks.unit + blocks.unit / 8)) return undefined;
  return blocks.sizes.reduce((sum, bytes) => sum + bytes, 0) === unsealed(entry).packedSize ? blocks : undefined;
}

interface InBlocks {
  readonly source: ByteSource;
  readonly start: number;
  readonly entry: ZipEntry;
  readonly blocks: BlockIndex;
  readonly pool: Compressor;
  readonly opening: LargeOpening | undefined;
}

async function* inBlocksInflated(content: InBlocks): AsyncGenerator<Buffer> {
  const { source, start, entry, pool, opening } = content;
  const { unit, sizes } = content.blocks;
  // Pieces of many blocks are fewer: as much is held of them.
  const ahead = Math.max(2, Math.floor((pool.width * 2 * blockSize) / unit));
  const running: Promise<{ readonly data: Uint8Array }>[] = [];
  const take = async function* (): AsyncGenerator<Buffer> {
    const { data } = (await running.shift()) ?? { data: Buffer.alloc(0) };
    yield Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    // One that is all of the content stays: who writes small files gathers them first.
    if (sizes.length > 1) pool.spare(data);
  };
  let at = 0;
  for (const [index, bytes] of sizes.entries()) {
    const last = index === sizes.length - 1;
    const memory = pool.room(unit === blockSize ? blockRoom : bytes);
    const packed = await source.read(start + at, bytes, memory);
    opening?.seen(packed);
    const size = last ? entry.size - index * unit : unit;
    const cipher = opening === undefined ? {} : { cipher: opening.at(at) };
    const data = packed.buffer === memory.buffer ? packed : ownBuffer(packed);
    const job = pool.run('inflate-block', { data, size, last, ...cipher });
    job.catch(() => undefined);
    running.push(job);
    at += bytes;
    if (running.length > ahead) yield* take();
  }
  while (running.length > 0) yield* take();
}

/** A buffer that may be transferred: none that others look into. */
export function ownBuffer(bytes: Buffer): Buffer {
  if (bytes.byteLength === bytes.buffer.byteLength) return bytes;
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}

async function* inflated(packed: AsyncIterable<Buffer>, entry: ZipEntry): AsyncGenerator<Buffer> {
  const inflater = createInflateRaw({ chunkSize: 256 * 1024 });
  // The iteration below sees the failure too; pipeline's callback is there so that nobody has to handle it twice.
  pipeline(Readable.from(packed), inflater, () => undefined);
  try {
    for await (const chunk of inflater) yield chunk as Buffer;
  } catch (error) {
    // What reading the file throws is not the stream's fault.
    if (!(systemCode(error) ?? '').startsWith('Z_')) throw error;
    throw undecodable(entry, `cannot be inflated: ${errorText(error)}`);
  } finally {
    inflater.destroy();
  }
  if (inflater.bytesWritten !== unsealed(entry).packedSize) {
    throw undecodable(entry, 'has data behind the end of its deflate stream');
  }
}
