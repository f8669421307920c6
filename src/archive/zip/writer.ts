import { crc32 } from 'node:zlib';
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
import { recordableTarget } from '../link-target.js';
import { ArchiveSink, type Mark } from '../sink.js';
import { inBlocks, metered } from '../sums.js';
import { Batch, type PackedBatch, type PackedEntry } from './batch.js';
import { encodeCentral, encodeDescriptor, encodeEnd, encodeLocal, type RecordFields } from './records.js';
import type { ByteSink } from '../../base/byte-source.js';
import { parseEntryPath } from '../../base/entry-path.js';
import { blockSize } from '../../base/limits.js';
import { OrderedQueue } from '../../compress/ordered-queue.js';
import type { CompressPool } from '../../compress/pool.js';
import { SpillBuffer } from '../../fs/spill-buffer.js';

export interface ZipWriterOptions {
  readonly sink: ByteSink;
  readonly pool: CompressPool;
  /** 0 (store) to 9. */
  readonly level: number;
  /** Told of each regular file, in archive order. */
  readonly onSum: (sum: EntrySum) => void;
  /** A private folder for what does not fit into memory. */
  readonly scratch: string;
}

export function createZipWriter(options: ZipWriterOptions): ArchiveWriter {
  return new ZipWriter(options);
}

const typeBits = { file: 0o100000, directory: 0o040000, link: 0o120000 } as const;
/** Content from here on may grow beyond 32 bits when deflate cannot shrink it: its descriptor gets 8-byte sizes. */
const largeFrom = 0xf0000000;

/** One step of a large entry, in the order of the queue. */
type Step =
  | { readonly kind: 'batch'; readonly batch: PackedBatch }
  | { readonly kind: 'begin'; readonly entry: LargeEntry }
  | { readonly kind: 'block'; readonly entry: LargeEntry; readonly packed: Uint8Array }
  | { readonly kind: 'end'; readonly entry: LargeEntry };

/** A large entry while it is written; what the queue learns of it comes in the queue's order. */
interface LargeEntry {
  readonly header: EntryHeader;
  crc: number;
  sha256: string;
  mark: Mark | undefined;
  offset: number;
  readonly blocks: number[];
}

/** A zip as docs/archive-format.md describes it: in order, in bounded memory, in time linear in its content. */
class ZipWriter implements ArchiveWriter {
  readonly #options: ZipWriterOptions;
  readonly #sink: ArchiveSink;
  readonly #queue: OrderedQueue<Step>;
  readonly #batch = new Batch();
  readonly #central: SpillBuffer;
  #entries = 0;
  #bodyEnded = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: ZipWriterOptions) {
    this.#options = options;
    this.#sink = new ArchiveSink(options.sink);
    this.#central = new SpillBuffer(options.scratch);
    // Enough jobs that no thread waits for the next one while the main thread reads.
    this.#queue = new OrderedQueue(options.pool.width * 2 + 2, (step) => this.#write(step));
  }

  async add(header: EntryHeader, content: Content): Promise<void> {
    this.#throwIfFailed();
    switch (content.kind) {
      case 'blocks':
        return this.#addLarge(header, content.read);
      case 'bytes':
        if (content.bytes.length !== header.size) throw new RangeError(`${header.path}: size and content differ`);
        this.#batch.add(header, content.bytes);
        break;
      case 'none':
        this.#batch.add(header, header.kind === 'link' ? Buffer.from(recordableTarget(header)) : undefined);
        break;
    }
    if (this.#batch.isFull) await this.#pushBatch();
  }

  async endBody(): Promise<{ bodyHash: string }> {
    await this.#settle();
    this.#bodyEnded = true;
    const hash = await this.#sink.hash();
    for await (const piece of this.#central.read()) hash.update(piece);
    return { bodyHash: `sha256:${hash.digest('hex')}` };
  }

  async finish(tail: ArchiveTail): Promise<ArchiveProof> {
    if (!this.#bodyEnded) await this.endBody();
    const one = async function* (): AsyncGenerator<Buffer> {
      yield await Promise.resolve(tail.manifest);
    };
    await this.#addProof(sumsName, tail.sumsBytes, tail.sums, tail.mtime);
    await this.#addProof(manifestName, tail.manifest.length, one, tail.mtime);
    await this.#settle();
    const directory = { entries: this.#entries, offset: this.#sink.position, bytes: this.#central.length };
    for await (const piece of this.#central.read()) await this.#sink.write(piece);
    await this.#sink.write(encodeEnd(directory, Buffer.from(tail.comment)));
    const hash = await this.#sink.hash();
    await this.#central.close();
    return { bytes: this.#sink.position, sha256: hash.digest('hex') };
  }

  async abort(): Promise<void> {
    this.#failure ??= { error: new Error('the archive was given up') };
    await this.#central.close();
  }

  async #addProof(name: string, size: number, read: () => AsyncIterable<Buffer>, mtime: bigint): Promise<void> {
    const header = { path: parseEntryPath(name), kind: 'file', size, mode: 0o644, mtime, uid: 0, gid: 0 } as const;
    if (size > blockSize) return this.add(header, { kind: 'blocks', read });
    const pieces: Buffer[] = [];
    for await (const piece of read()) pieces.push(piece);
    return this.add(header, { kind: 'bytes', bytes: Buffer.concat(pieces) });
  }

  async #pushBatch(): Promise<void> {
    if (this.#batch.isEmpty) return;
    const packed = this.#batch.pack(this.#options.pool, this.#options.level);
    await this.#queue.push(packed.then((batch) => ({ kind: 'batch', batch })));
  }

  async #settle(): Promise<void> {
    this.#throwIfFailed();
    await this.#pushBatch();
    await this.#queue.drain();
  }

  async #addLarge(header: EntryHeader, read: () => AsyncIterable<Buffer>): Promise<void> {
    await this.#pushBatch();
    const entry: LargeEntry = { header, crc: 0, sha256: '', mark: undefined, offset: 0, blocks: [] };
    const step = (kind: 'begin' | 'end'): Promise<void> => this.#queue.push(Promise.resolve({ kind, entry }));
    await step('begin');
    try {
      const chunks = metered(header, read(), (sha256) => (entry.sha256 = sha256));
      let left = header.size;
      for await (const block of inBlocks(chunks, blockSize)) {
        left -= block.length;
        entry.crc = crc32(block, entry.crc);
        const job = this.#options.pool.run('deflate-block', {
          data: block,
          level: this.#options.level,
          last: left === 0,
        });
        await this.#queue.push(job.then(({ data }) => ({ kind: 'block', entry, packed: data })));
      }
    } catch (error) {
      await this.#takeBack(entry, error);
      throw error;
    }
    await step('end');
  }

  /** The content of a large entry failed: the archive goes back to where it began, or is useless where it cannot. */
  async #takeBack(entry: LargeEntry, error: unknown): Promise<void> {
    await this.#queue.drain();
    if (entry.mark === undefined) this.#failure = { error };
    else await this.#sink.rollback(entry.mark);
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #write(step: Step): Promise<void> {
    switch (step.kind) {
      case 'batch':
        for (const entry of step.batch.entries) await this.#writeSmall(entry);
        return;
      case 'begin':
        step.entry.mark = await this.#sink.mark();
        step.entry.offset = this.#sink.position;
        return this.#sink.write(encodeLocal(largeFields(step.entry)));
      case 'block':
        step.entry.blocks.push(step.packed.length);
        return this.#sink.write(step.packed);
      case 'end': {
        const fields = largeFields(step.entry);
        await this.#sink.write(encodeDescriptor(fields));
        return this.#record(step.entry.header, fields, step.entry.sha256);
      }
    }
  }

  async #writeSmall({ header, item, packed }: PackedEntry): Promise<void> {
    const fields: RecordFields = {
      ...sharedFields(header),
      method: item.method,
      crc: item.crc,
      size: header.kind === 'link' ? packedContentBytes(header) : header.size,
      packedSize: item.length,
      descriptor: false,
      large: false,
      offset: this.#sink.position,
    };
    await this.#sink.write(encodeLocal(fields));
    await this.#sink.write(packed);
    await this.#record(header, fields, item.sha256);
  }

  async #record(header: EntryHeader, fields: RecordFields, sha256: string): Promise<void> {
    await this.#central.add(encodeCentral(fields));
    this.#entries += 1;
    if (header.kind === 'file' && !this.#bodyEnded) {
      this.#options.onSum({ path: header.path, bytes: header.size, sha256 });
    }
  }
}

const packedContentBytes = (header: EntryHeader): number => Buffer.byteLength(header.target ?? '');

function sharedFields(header: EntryHeader): Pick<RecordFields, 'name' | 'mode' | 'mtime' | 'uid' | 'gid'> {
  return {
    name: Buffer.from(header.kind === 'directory' ? `${header.path}/` : header.path),
    mode: typeBits[header.kind] | header.mode,
    mtime: header.mtime,
    uid: header.uid,
    gid: header.gid,
  };
}

function largeFields(entry: LargeEntry): RecordFields {
  return {
    ...sharedFields(entry.header),
    // Nothing has no blocks, and no deflate stream either.
    method: entry.header.size === 0 ? 0 : 8,
    crc: entry.crc,
    size: entry.header.size,
    packedSize: entry.blocks.reduce((sum, bytes) => sum + bytes, 0),
    descriptor: true,
    large: entry.header.size >= largeFrom,
    offset: entry.offset,
    blocks: entry.blocks,
  };
}
