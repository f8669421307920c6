import { Readable, pipeline } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import type { ZipEntry } from './central-entry.js';
import { metered } from '../sums.js';
import type { ByteSource } from '../../base/byte-source.js';
import { ArchiveDamage } from '../../base/damage.js';
import { errorText, systemCode } from '../../base/errors.js';
import { blockSize } from '../../base/limits.js';
import { hex32 } from '../../compress/inflate.js';
import { JobFailure, type CompressPool } from '../../compress/pool.js';

/** The content of a large entry, in chunks, in bounded memory; `done` gets its SHA-256. Throws `ArchiveDamage`. */
export async function* largeContent(
  source: ByteSource,
  dataStart: number,
  entry: ZipEntry,
  pool: CompressPool,
  done: (sha256: string) => void,
): AsyncGenerator<Buffer> {
  let crc = 0;
  try {
    for await (const chunk of metered(entry.header, decoded(source, dataStart, entry, pool), done)) {
      crc = crc32(chunk, crc);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof JobFailure) throw undecodable(entry, error.message);
    throw error;
  }
  if (crc !== entry.crc) {
    const message = `expected CRC-32 ${hex32(entry.crc)}, found ${hex32(crc)}`;
    throw new ArchiveDamage('crc-mismatch', message, entry.header.path);
  }
}

const undecodable = (entry: ZipEntry, message: string): ArchiveDamage =>
  new ArchiveDamage('content-undecodable', message, entry.header.path);

function decoded(source: ByteSource, start: number, entry: ZipEntry, pool: CompressPool): AsyncIterable<Buffer> {
  if (entry.method === 0) return pieces(source, start, entry.packedSize);
  const blocks = usableBlocks(entry);
  return blocks === undefined ? inflated(source, start, entry) : inBlocksInflated(source, start, entry, blocks, pool);
}

async function* pieces(source: ByteSource, start: number, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < length; at += blockSize) {
    yield await source.read(start + at, Math.min(blockSize, length - at));
  }
}

/** The block index, if it fits the entry; it is only a hint, and what it leads to is compared with CRC and sums. */
function usableBlocks(entry: ZipEntry): readonly number[] | undefined {
  const { blocks } = entry.extras;
  if (blocks?.length !== Math.ceil(entry.size / blockSize)) return undefined;
  // A block that deflate could not shrink is stored, and grows by a few bytes: anything larger is not ours.
  if (blocks.some((bytes) => bytes > blockSize + blockSize / 8)) return undefined;
  return blocks.reduce((sum, bytes) => sum + bytes, 0) === entry.packedSize ? blocks : undefined;
}

/** What a full flush leaves at the end of a block: an empty stored block (RFC 1951 3.2.4). */
const flushMark = Buffer.from([0, 0, 0xff, 0xff]);

async function* inBlocksInflated(
  source: ByteSource,
  start: number,
  entry: ZipEntry,
  blocks: readonly number[],
  pool: CompressPool,
): AsyncGenerator<Buffer> {
  const running: Promise<{ readonly data: Uint8Array }>[] = [];
  const take = async (): Promise<Buffer> => {
    const { data } = (await running.shift()) ?? { data: Buffer.alloc(0) };
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  };
  let at = start;
  for (const [index, bytes] of blocks.entries()) {
    const last = index === blocks.length - 1;
    const packed = await source.read(at, bytes);
    // A stream that ends within a block, or does not end at its own end, would be read differently by others.
    if (!last && !packed.subarray(-4).equals(flushMark)) throw undecodable(entry, 'a block does not end with a flush');
    const size = last ? entry.size - index * blockSize : blockSize;
    const job = pool.run('inflate-block', { data: ownBuffer(packed), size, last });
    job.catch(() => undefined);
    running.push(job);
    at += bytes;
    if (running.length > pool.width * 2) yield await take();
  }
  while (running.length > 0) yield await take();
}

/** A buffer that may be transferred: none that others look into. */
export function ownBuffer(bytes: Buffer): Buffer {
  if (bytes.byteLength === bytes.buffer.byteLength) return bytes;
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}

async function* inflated(source: ByteSource, start: number, entry: ZipEntry): AsyncGenerator<Buffer> {
  const inflater = createInflateRaw({ chunkSize: 256 * 1024 });
  // The iteration below sees the failure too; pipeline's callback is there so that nobody has to handle it twice.
  pipeline(Readable.from(pieces(source, start, entry.packedSize)), inflater, () => undefined);
  try {
    for await (const chunk of inflater) yield chunk as Buffer;
  } catch (error) {
    // What reading the file throws is not the stream's fault.
    if (!(systemCode(error) ?? '').startsWith('Z_')) throw error;
    throw undecodable(entry, `cannot be inflated: ${errorText(error)}`);
  } finally {
    inflater.destroy();
  }
  if (inflater.bytesWritten !== entry.packedSize) {
    throw undecodable(entry, 'has data behind the end of its deflate stream');
  }
}
