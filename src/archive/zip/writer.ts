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
  type PackedFile,
  type PackedPlace,
} from '../archive.js';
import { BlockPacker, takenTraces, type Packing } from '../block-packer.js';
import { recordableTarget } from '../link-target.js';
import { ArchiveSink } from '../sink.js';
import { inBlocks, metered } from '../sums.js';
import { Batch, type PackedBatch, type PackedEntry } from './batch.js';
import { forgetKeys, largeEntry, largeFields, smallFields, type LargeEntry } from './entry-fields.js';
import type { KeptKeys } from '../kept-keys.js';
import { LargeSeal } from './large-seal.js';
import { headOf, largePlace, smallPlace } from './packed-place.js';
import { encodeCentral, encodeDescriptor, encodeEnd, encodeLocal, type RecordFields } from './records.js';
import type { ByteSink } from '../../base/byte-source.js';
import { parseEntryPath } from '../../base/entry-path.js';
import { blockSize } from '../../base/limits.js';
import type { Passphrase } from '../../base/passphrase.js';
import { saltBytes } from '../../compress/derive-key.js';
import { OrderedQueue } from '../../compress/ordered-queue.js';
import type { Compressor } from '../../compress/compressor.js';
import type { TracedBlock } from '../../compress/jobs.js';
import { SharedSecret } from '../../compress/shared-secret.js';
import { SpillBuffer } from '../../fs/spill-buffer.js';

export interface ZipWriterOptions {
  readonly sink: ByteSink;
  readonly pool: Compressor;
  /** 0 (store) to 9. */
  readonly level: number;
  /** Told of each regular file, in archive order. */
  readonly onSum: (sum: EntrySum) => void;
  /** A private folder for what does not fit into memory. */
  readonly scratch: string;
  /** Everything that has content is encrypted. */
  readonly encryption?: ZipEncryption;
  /** Sums tell where files lie (`EntrySum.place`), so that a later archive can take them over. */
  readonly traced?: boolean;
}

export interface ZipEncryption {
  /** Not needed any longer once the writer is finished or aborted. */
  readonly passphrase: Passphrase;
  /** Gets the key of each entry, for reading the archive back. */
  readonly keys?: KeptKeys;
}

export function createZipWriter(options: ZipWriterOptions): ArchiveWriter {
  return new ZipWriter(options);
}

const nothing = Buffer.alloc(0);

/** One step of a large entry, in the order of the queue. */
type Step =
  | { readonly kind: 'batch'; readonly batch: PackedBatch }
  | { readonly kind: 'begin'; readonly entry: LargeEntry }
  | { readonly kind: 'block'; readonly entry: LargeEntry; readonly packed: Uint8Array; readonly trace: TracedBlock }
  | { readonly kind: 'end'; readonly entry: LargeEntry };

/** A zip as docs/archive-format.md describes it: in order, in bounded memory, in time linear in its content. */
class ZipWriter implements ArchiveWriter {
  readonly #options: ZipWriterOptions;
  readonly #sink: ArchiveSink;
  readonly #queue: OrderedQueue<Step>;
  readonly #secret: SharedSecret | undefined;
  readonly #keys: KeptKeys | undefined;
  readonly #batch: Batch;
  readonly #central: SpillBuffer;
  #entries = 0;
  /** Large ones that are not written to their end. */
  readonly #open = new Set<LargeEntry>();
  #bodyEnded = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: ZipWriterOptions) {
    this.#options = options;
    this.#sink = new ArchiveSink(options.sink);
    const { encryption } = options;
    this.#secret = encryption === undefined ? undefined : new SharedSecret(encryption.passphrase);
    this.#keys = encryption?.keys;
    const keepKeys = this.#keys !== undefined;
    this.#batch = new Batch(
      options.pool,
      this.#secret === undefined ? undefined : { passphrase: this.#secret.bytes, keepKeys },
      options.traced,
    );
    this.#central = new SpillBuffer(options.scratch);
    // Enough jobs that no thread waits for the next one while the main thread reads.
    this.#queue = new OrderedQueue(options.pool.width * 2 + 2, (step) => this.#write(step));
  }

  room(kind: 'bytes' | 'blocks', bytes: number): Buffer {
    return kind === 'bytes' ? this.#batch.room(bytes) : this.#options.pool.room(bytes);
  }

  async add(header: EntryHeader, content: Content): Promise<void> {
    this.#throwIfFailed();
    switch (content.kind) {
      case 'blocks':
        return this.#addLarge(header, content);
      case 'packed-blocks':
        return this.#takeLarge(header, content.packed, content.read);
      case 'packed':
        this.#batch.take(header, content);
        break;
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

  addMember(): Promise<void> {
    return Promise.reject(new RangeError('a zip has no members: small files are taken over one by one'));
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
    this.#secret?.forget();
    return { bytes: this.#sink.position, sha256: hash.digest('hex') };
  }

  async abort(): Promise<void> {
    this.#failure ??= { error: new Error('the archive was given up') };
    this.#secret?.forget();
    for (const entry of this.#open) this.#close(entry);
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
    const packed = this.#batch.pack(this.#options.level);
    await this.#queue.push(packed.then((batch) => ({ kind: 'batch', batch })));
  }

  async #settle(): Promise<void> {
    this.#throwIfFailed();
    await this.#pushBatch();
    await this.#queue.drain();
  }

  async #addLarge(header: EntryHeader, { read, earlier }: Extract<Content, { kind: 'blocks' }>): Promise<void> {
    const { pool, level, traced = false } = this.#options;
    const seal = this.#secret === undefined ? undefined : new LargeSeal(pool, this.#secret);
    const entry = largeEntry(header, { seal, earlier });
    const compress: Packing['compress'] = (data, last, trace) =>
      pool.run('deflate-block', { data, level, last, ...(trace === undefined ? {} : { trace }) });
    const packer = new BlockPacker({ pool, compress, traced, seal, earlier });
    return this.#large(entry, async () => {
      const chunks = metered(header, read(), (sha256) => (entry.sha256 = sha256));
      let left = header.size;
      const room = (bytes: number): Buffer => pool.room(bytes);
      for await (const block of inBlocks(chunks, blockSize, room)) {
        left -= block.length;
        if (seal === undefined) entry.crc = crc32(block, entry.crc);
        await this.#queue.push(packer.pack(block, left === 0).then((packed) => ({ kind: 'block', entry, ...packed })));
      }
    });
  }

  async #takeLarge(header: EntryHeader, taken: PackedFile, read: () => AsyncIterable<Buffer>): Promise<void> {
    const entry = largeEntry(header, { taken });
    const traces = takenTraces(taken);
    return this.#large(entry, async () => {
      let index = 0;
      for await (const packed of read()) {
        const step = { kind: 'block', entry, packed, trace: traces[index++] ?? {} } as const;
        await this.#queue.push(Promise.resolve(step));
      }
    });
  }

  /** `content` pushes the blocks; where it fails, all of the entry is taken back. */
  async #large(entry: LargeEntry, content: () => Promise<void>): Promise<void> {
    this.#open.add(entry);
    await this.#pushBatch();
    const step = (kind: 'begin' | 'end'): Promise<void> => this.#queue.push(Promise.resolve({ kind, entry }));
    await step('begin');
    try {
      await content();
    } catch (error) {
      await this.#takeBack(entry, error);
      throw error;
    }
    await step('end');
  }

  /** The content of a large entry failed: the archive goes back to where it began, or is useless where it cannot. */
  async #takeBack(entry: LargeEntry, error: unknown): Promise<void> {
    await this.#queue.drain().finally(() => this.#close(entry));
    if (entry.mark === undefined) this.#failure = { error };
    else await this.#sink.rollback(entry.mark);
  }

  /** Nothing of it is packed any more. */
  #close(entry: LargeEntry): void {
    forgetKeys(entry);
    this.#open.delete(entry);
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #write(step: Step): Promise<void> {
    switch (step.kind) {
      case 'batch':
        for (const entry of step.batch.entries) await this.#writeSmall(entry);
        if (step.batch.memory !== undefined) this.#options.pool.spare(step.batch.memory);
        return;
      case 'begin':
        step.entry.mark = await this.#sink.mark();
        step.entry.offset = this.#sink.position;
        await this.#sink.write(encodeLocal(largeFields(step.entry)));
        step.entry.dataAt = this.#sink.position;
        await this.#sink.write(headOf(step.entry));
        return;
      case 'block':
        step.entry.blocks.push(step.packed.length);
        step.entry.traces.push(step.trace);
        step.entry.seal?.written(step.packed);
        await this.#sink.write(step.packed);
        return this.#options.pool.spare(step.packed);
      case 'end':
        return this.#endLarge(step.entry);
    }
  }

  async #endLarge(entry: LargeEntry): Promise<void> {
    const { seal, taken } = entry;
    const around = { head: headOf(entry), tail: seal?.tail() ?? taken?.tail ?? nothing };
    await this.#sink.write(around.tail);
    if (seal !== undefined) this.#keys?.add(seal.salt, seal.material);
    this.#close(entry);
    const fields = largeFields(entry);
    await this.#sink.write(encodeDescriptor(fields));
    const place = this.#options.traced === true ? largePlace(entry, around) : undefined;
    return this.#record(entry.header, fields, entry.sha256, place);
  }

  async #writeSmall(entry: PackedEntry): Promise<void> {
    const { header, item, packed, key } = entry;
    const isSealed = this.#secret !== undefined && packed.length > 0;
    const fields = smallFields(header, item, { isSealed, offset: this.#sink.position });
    await this.#sink.write(encodeLocal(fields));
    const place = smallPlace(entry, this.#sink.position);
    await this.#sink.write(packed);
    entry.written?.();
    if (key !== undefined) {
      this.#keys?.add(packed.subarray(0, saltBytes[3]), key);
      key.fill(0);
    }
    await this.#record(header, fields, item.sha256, place);
  }

  async #record(header: EntryHeader, fields: RecordFields, sha256: string, place?: PackedPlace): Promise<void> {
    await this.#central.add(encodeCentral(fields));
    this.#entries += 1;
    if (header.kind === 'file' && !this.#bodyEnded) {
      const sum = { path: header.path, bytes: header.size, sha256 };
      this.#options.onSum(place === undefined ? sum : { ...sum, place });
    }
  }
}
