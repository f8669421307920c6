import { createHash } from 'node:crypto';
import type { ByteSink } from '../../base/byte-source.js';
import { parseEntryPath } from '../../base/entry-path.js';
import { never } from '../../base/errors.js';
import { blockSize } from '../../base/limits.js';
import { ownMemory } from '../../base/own-memory.js';
import type { Compressor } from '../../compress/compressor.js';
import {
  manifestName,
  sumsName,
  type ArchiveProof,
  type ArchiveTail,
  type ArchiveWriter,
  type Content,
  type EntryHeader,
  type EntrySum,
  type PackedFile,
  type TakenMember,
} from '../archive.js';
import { BlockPacker, takenTraces, type Packing } from '../block-packer.js';
import { ArchiveSink } from '../sink.js';
import { inBlocks, metered } from '../sums.js';
import { LargeFile } from './large-file.js';
import { MemberWriter, type OnMember } from './member-writer.js';
import { OrderedSums } from './ordered-sums.js';
import { packHeader } from './pack-header.js';
import { packHead, padding, TarPacker } from './tar-packer.js';
import { encodeTrailer } from './trailer.js';

export interface TarWriterOptions {
  readonly sink: ByteSink;
  readonly pool: Compressor;
  /** 0 (stored) to 9. */
  readonly level: number;
  /** Told the sum of each file that stays, in archive order. */
  readonly onSum: (sum: EntrySum) => void;
  /** Sums tell where large files lie (`EntrySum.place`), so that a later archive can take them over. */
  readonly traced?: boolean;
  /** Told where small entries lie together, behind the sums of its files: a later archive can take such members over. */
  readonly onMember?: OnMember | undefined;
}

/** Writes a tar.gz as docs/archive-format.md describes it: pax tar in independent gzip members. */
export function createTarWriter(options: TarWriterOptions): ArchiveWriter {
  return new TarWriter(options);
}

interface ReadFailure {
  readonly error: unknown;
}

class TarWriter implements ArchiveWriter {
  readonly #sink: ArchiveSink;
  readonly #members: MemberWriter;
  readonly #sums: OrderedSums;
  readonly #packing: Omit<Packing, 'earlier'>;
  readonly #packer = new TarPacker();
  #sumsAt: number | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor({ sink, pool, level, onSum, traced = false, onMember }: TarWriterOptions) {
    this.#sink = new ArchiveSink(sink);
    this.#members = new MemberWriter({ sink: this.#sink, pool, level, onMember });
    this.#sums = new OrderedSums(onSum);
    const compress: Packing['compress'] = (data, _last, trace) =>
      pool.run('gzip-member', { data, level, ...(trace === undefined ? {} : { trace }) });
    this.#packing = { pool, compress, traced };
  }

  room(kind: 'bytes' | 'blocks', bytes: number): Buffer {
    return kind === 'blocks' ? this.#packing.pool.room(bytes) : ownMemory(bytes);
  }

  async add(entry: EntryHeader, content: Content): Promise<void> {
    const unread = await this.#unlessFailed(async (): Promise<ReadFailure | undefined> => {
      this.#expectOpen();
      switch (content.kind) {
        case 'none':
          this.#members.put(entry, await this.#packer.whole(packHeader(entry)));
          await this.#members.room();
          return undefined;
        case 'bytes':
          await this.#addSmall(entry, content.bytes);
          return undefined;
        case 'blocks':
          return this.#addLarge(entry, content);
        case 'packed-blocks':
          return this.#takeLarge(entry, content.packed, content.read);
        case 'packed':
          throw new RangeError(`${entry.path}: a tar takes small files over by members, none alone`);
        default:
          return never(content);
      }
    });
    if (unread !== undefined) throw unread.error;
  }

  async addMember({ sums, ...taken }: TakenMember): Promise<void> {
    await this.#unlessFailed(async () => {
      this.#expectOpen();
      for (const sum of sums) this.#sums.add(sum);
      await this.#members.whole(taken);
    });
  }

  async endBody(): Promise<{ readonly bodyHash: string }> {
    return this.#unlessFailed(async () => {
      await this.#members.drain();
      this.#sumsAt = this.#sink.position;
      const hash = await this.#sink.hash();
      return { bodyHash: `sha256:${hash.digest('hex')}` };
    });
  }

  async finish(tail: ArchiveTail): Promise<ArchiveProof> {
    if (this.#sumsAt === undefined) await this.endBody();
    return this.#unlessFailed(async () => {
      const sumsAt = this.#sink.position;
      const sums = provingFile(sumsName, tail.sumsBytes, tail.mtime);
      this.#members.take(await packHead(packHeader(sums)));
      for await (const chunk of metered(sums, tail.sums())) {
        this.#members.take(chunk);
        await this.#members.room();
      }
      this.#members.take(padding(sums.size));
      await this.#members.drain();
      const manifestAt = this.#sink.position;
      const manifest = provingFile(manifestName, tail.manifest.length, tail.mtime);
      const whole = await this.#packer.whole(packHeader(manifest), tail.manifest);
      for (const piece of [...whole, ...this.#packer.end()]) this.#members.take(piece);
      await this.#members.drain();
      await this.#sink.write(encodeTrailer({ sumsAt, manifestAt }));
      const hash = await this.#sink.hash();
      return { bytes: this.#sink.position, sha256: hash.digest('hex') };
    });
  }

  async abort(): Promise<void> {
    this.#failure ??= { error: new Error('the archive was given up') };
    this.#packer.destroy();
    // What was written is useless, so a failure to write the rest of it is of no interest.
    await this.#members.drain().catch(() => undefined);
  }

  #expectOpen(): void {
    if (this.#sumsAt !== undefined) throw new Error('an entry was added behind the end of the body');
  }

  async #addSmall(entry: EntryHeader, bytes: Buffer): Promise<void> {
    if (bytes.length !== entry.size) throw new RangeError(`${entry.path}: ${bytes.length} bytes for ${entry.size}`);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    this.#members.put(entry, await this.#packer.whole(packHeader(entry), bytes));
    this.#sums.add({ path: entry.path, bytes: entry.size, sha256 });
    await this.#members.room();
  }

  async #addLarge(
    entry: EntryHeader,
    { read, earlier }: Extract<Content, { kind: 'blocks' }>,
  ): Promise<ReadFailure | undefined> {
    const file = new LargeFile(entry);
    const packer = new BlockPacker({ ...this.#packing, earlier });
    const chunks = new Watched(metered(entry, read(), (sum) => (file.sha256 = sum)));
    return this.#large(file, chunks, async () => {
      let left = entry.size;
      for await (const block of inBlocks(chunks, blockSize, (bytes) => this.#packing.pool.room(bytes))) {
        left -= block.length;
        await this.#members.block(packer.pack(block, left === 0), file.written);
      }
    });
  }

  async #takeLarge(
    entry: EntryHeader,
    taken: PackedFile,
    read: () => AsyncIterable<Buffer>,
  ): Promise<ReadFailure | undefined> {
    const file = new LargeFile(entry, taken.sha256);
    const traces = takenTraces(taken);
    const chunks = new Watched(read());
    return this.#large(file, chunks, async () => {
      let index = 0;
      for await (const packed of chunks) {
        const block = { packed, trace: traces[index++] ?? {} };
        await this.#members.block(Promise.resolve(block), file.written);
      }
    });
  }

  /** `content` passes the blocks of `chunks` on. Gives the failure of these, once the entry is taken back. */
  async #large(file: LargeFile, chunks: Watched, content: () => Promise<void>): Promise<ReadFailure | undefined> {
    await this.#members.mark();
    this.#members.take(await packHead(packHeader(file.entry)));
    await this.#members.cut();
    try {
      await content();
    } catch (error) {
      if (chunks.failure === undefined || !(await this.#members.rollback())) throw error;
      return chunks.failure;
    }
    this.#members.take(padding(file.entry.size));
    const told = this.#sums.later();
    await this.#members.pass(() => told(file.sum()));
    return undefined;
  }

  /** After a failure that left the archive useless, every call rejects with that failure. */
  async #unlessFailed<T>(work: () => Promise<T>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      return await work();
    } catch (error) {
      this.#failure ??= { error };
      this.#packer.destroy();
      throw error;
    }
  }
}

/** Remembers that it was the chunks that failed, and not who took them. */
class Watched implements AsyncIterable<Buffer> {
  readonly #chunks: AsyncIterable<Buffer>;
  failure: ReadFailure | undefined;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      yield* this.#chunks;
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}

const provingFile = (name: string, size: number, mtime: bigint): EntryHeader => ({
  path: parseEntryPath(name),
  kind: 'file',
  size,
  mode: 0o644,
  mtime,
  uid: 0,
  gid: 0,
});
