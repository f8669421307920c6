import { createHash } from 'node:crypto';
import { openTarReader, type TarReaderOptions } from '../../../src/archive/tar/reader.js';
import { createTarWriter } from '../../../src/archive/tar/writer.js';
import type { ArchiveProof, EntryHeader, EntrySum } from '../../../src/archive/archive.js';
import { ArchiveDamage, type Damage } from '../../../src/base/damage.js';
import type { ByteSink, ByteSource } from '../../../src/base/byte-source.js';
import type { EntryPath } from '../../../src/base/entry-path.js';
import { blockSize } from '../../../src/base/limits.js';
import type { CompressPool } from '../../../src/compress/pool.js';

/** An entry and what it holds. */
export interface Sample {
  readonly header: EntryHeader;
  readonly bytes: Buffer;
}

export function file(path: string, bytes: Buffer | string, rest: Partial<EntryHeader> = {}): Sample {
  const content = Buffer.from(bytes);
  return { header: header(path, { kind: 'file', size: content.length, ...rest }), bytes: content };
}

export function folder(path: string, rest: Partial<EntryHeader> = {}): Sample {
  return { header: header(path, { kind: 'directory', mode: 0o755, ...rest }), bytes: Buffer.alloc(0) };
}

export function link(path: string, target: string, rest: Partial<EntryHeader> = {}): Sample {
  return { header: header(path, { kind: 'link', mode: 0o777, target, ...rest }), bytes: Buffer.alloc(0) };
}

function header(path: string, rest: Partial<EntryHeader>): EntryHeader {
  const mtime = 1_700_000_000_000_000_000n;
  return { path: path as EntryPath, kind: 'file', size: 0, mode: 0o644, mtime, uid: 0, gid: 0, ...rest };
}

/** What comes in chunks, as text; undefined where there is nothing to read. */
export async function textOf(chunks: (() => AsyncIterable<Buffer>) | undefined): Promise<string | undefined> {
  if (chunks === undefined) return undefined;
  let text = '';
  for await (const chunk of chunks()) text += chunk.toString('latin1');
  return Buffer.from(text, 'latin1').toString();
}

/** Bytes that look like nothing, the same for the same seed. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
  return bytes;
}

/** A sink in memory, which can take bytes back unless told otherwise. */
export class MemorySink implements ByteSink {
  readonly #pieces: Buffer[] = [];
  #size = 0;
  truncate?: (size: number) => Promise<void>;

  constructor(canTruncate = true) {
    if (!canTruncate) return;
    this.truncate = async (size) => {
      const kept = this.bytes().subarray(0, size);
      this.#pieces.splice(0, this.#pieces.length, kept);
      this.#size = kept.length;
    };
  }

  get size(): number {
    return this.#size;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#pieces.push(Buffer.from(bytes));
    this.#size += bytes.length;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}

export async function* inChunks(bytes: Buffer, chunkBytes = 100_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

export interface Written {
  readonly archive: Buffer;
  readonly proof: ArchiveProof;
  readonly bodyHash: string;
  readonly sums: readonly EntrySum[];
}

export const manifest = Buffer.from('{"version":"1.0.0"}\n');

export async function write(
  pool: CompressPool,
  samples: readonly Sample[],
  level = 6,
  traced = false,
): Promise<Written> {
  const sink = new MemorySink();
  const sums: EntrySum[] = [];
  const writer = createTarWriter({ sink, pool, level, onSum: (sum) => sums.push(sum), traced });
  for (const { header, bytes } of samples) {
    if (header.kind !== 'file') await writer.add(header, { kind: 'none' });
    else if (bytes.length > blockSize) await writer.add(header, { kind: 'blocks', read: () => inChunks(bytes) });
    else await writer.add(header, { kind: 'bytes', bytes: Buffer.from(bytes) });
  }
  const { bodyHash } = await writer.endBody();
  const text = Buffer.from(sums.map((sum) => `${sum.sha256}  ${sum.path}\n`).join(''));
  const proof = await writer.finish({
    sums: () => inChunks(text),
    sumsBytes: text.length,
    manifest,
    mtime: 1_700_000_000_000_000_000n,
    comment: '',
  });
  return { archive: sink.bytes(), proof, bodyHash, sums };
}

/** A source in memory that refuses what a file would refuse. */
export class MemorySource implements ByteSource {
  readonly name = 'memory.tar.gz';
  readonly #bytes: Buffer;
  reads = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  async read(position: number, length: number, into?: Buffer): Promise<Buffer> {
    if (position < 0 || position + length > this.size) throw new Error(`read beyond the end: ${position} + ${length}`);
    this.reads += 1;
    const isRoom = into !== undefined && into.length >= length;
    const copy = isRoom ? into.subarray(0, length) : Buffer.allocUnsafeSlow(length);
    this.#bytes.copy(copy, 0, position);
    return copy;
  }

  async close(): Promise<void> {
    this.#bytes.subarray(0);
  }
}

export interface ReadResult {
  readonly samples: readonly Sample[];
  /** Of entries that must not be used. */
  readonly damaged: readonly Damage[];
  readonly thrown: Damage | undefined;
  readonly oddities: readonly Damage[];
}

/** Reads everything there is; what is thrown and no damage of the archive is thrown on. */
export async function readAll(
  pool: CompressPool,
  archive: Buffer,
  options: TarReaderOptions = {},
): Promise<ReadResult> {
  const samples: Sample[] = [];
  const damaged: Damage[] = [];
  let oddities: readonly Damage[] = [];
  try {
    const reader = await openTarReader(new MemorySource(archive), pool, options);
    oddities = reader.oddities;
    for await (const { header, content } of reader.decode({ want: () => 'content' })) {
      if (content.kind === 'damaged') damaged.push(content.damage);
      else if (content.kind === 'chunks') samples.push({ header, bytes: await collect(content.chunks) });
      else samples.push({ header, bytes: content.kind === 'bytes' ? content.bytes : Buffer.alloc(0) });
    }
    return { samples, damaged, thrown: undefined, oddities };
  } catch (error) {
    if (!(error instanceof ArchiveDamage)) throw error;
    return { samples, damaged, thrown: error, oddities };
  }
}

export async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(Buffer.from(chunk));
  return Buffer.concat(all);
}

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** What was found without the two proving files. */
export const body = (samples: readonly Sample[]): readonly Sample[] =>
  samples.filter(({ header: { path } }) => path !== ('SHA256SUMS' as string) && path !== ('manifest.json' as string));
