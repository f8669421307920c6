import { createHash } from 'node:crypto';
import type { ByteSink } from '../../base/byte-source.js';
import { parseEntryPath } from '../../base/entry-path.js';
import { never } from '../../base/errors.js';
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
} from '../archive.js';
import { ArchiveSink } from '../sink.js';
import { metered } from '../sums.js';
import { MemberWriter } from './member-writer.js';
import { packHeader } from './pack-header.js';
import { TarPacker } from './tar-packer.js';
import { encodeTrailer } from './trailer.js';

export interface TarWriterOptions {
  readonly sink: ByteSink;
  readonly pool: Compressor;
  /** 0 (stored) to 9. */
  readonly level: number;
  /** Told the sum of each file that stays, in archive order. */
  readonly onSum: (sum: EntrySum) => void;
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
  readonly #onSum: (sum: EntrySum) => void;
  #packer: TarPacker;
  #sumsAt: number | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor({ sink, pool, level, onSum }: TarWriterOptions) {
    this.#sink = new ArchiveSink(sink);
    this.#members = new MemberWriter(this.#sink, pool, level);
    this.#onSum = onSum;
    this.#packer = this.#newPacker();
  }

  room(_kind: 'bytes' | 'blocks', bytes: number): Buffer {
    return ownMemory(bytes);
  }

  async add(entry: EntryHeader, content: Content): Promise<void> {
    const unread = await this.#unlessFailed(async (): Promise<ReadFailure | undefined> => {
      if (this.#sumsAt !== undefined) throw new Error('an entry was added behind the end of the body');
      switch (content.kind) {
        case 'none':
          await this.#packer.whole(packHeader(entry));
          await this.#members.room();
          return undefined;
        case 'bytes':
          await this.#addSmall(entry, content.bytes);
          return undefined;
        case 'blocks':
          return this.#addLarge(entry, content.read);
        case 'packed':
        case 'packed-blocks':
          throw new RangeError(`${entry.path}: a tar takes no packed files over`);
        default:
          return never(content);
      }
    });
    if (unread !== undefined) throw unread.error;
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
      const chunks = metered(sums, tail.sums());
      await this.#packer.chunks(packHeader(sums), chunks, () => this.#members.room());
      await this.#members.drain();
      const manifestAt = this.#sink.position;
      const manifest = provingFile(manifestName, tail.manifest.length, tail.mtime);
      await this.#packer.whole(packHeader(manifest), tail.manifest);
      this.#packer.end();
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

  async #addSmall(entry: EntryHeader, bytes: Buffer): Promise<void> {
    if (bytes.length !== entry.size) throw new RangeError(`${entry.path}: ${bytes.length} bytes for ${entry.size}`);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await this.#packer.whole(packHeader(entry), bytes);
    this.#onSum({ path: entry.path, bytes: entry.size, sha256 });
    await this.#members.room();
  }

  /** Gives the failure of `read`, once the entry is taken back. */
  async #addLarge(entry: EntryHeader, read: () => AsyncIterable<Buffer>): Promise<ReadFailure | undefined> {
    let sha256 = '';
    const header = packHeader(entry);
    await this.#members.mark();
    const chunks = new Watched(metered(entry, read(), (sum) => (sha256 = sum)));
    try {
      await this.#packer.chunks(header, chunks, () => this.#members.room());
    } catch (error) {
      if (chunks.failure === undefined) throw error;
      await this.#takeBack(error);
      return chunks.failure;
    }
    this.#onSum({ path: entry.path, bytes: entry.size, sha256 });
    return undefined;
  }

  /** Leaves the archive as it was at the last mark; where the sink cannot, the writer has failed with `reason`. */
  async #takeBack(reason: unknown): Promise<void> {
    this.#packer.destroy();
    this.#packer = this.#newPacker();
    if (!(await this.#members.rollback())) throw reason;
  }

  #newPacker(): TarPacker {
    return new TarPacker((bytes) => this.#members.take(bytes));
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
