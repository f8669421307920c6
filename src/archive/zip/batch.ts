import type { Content, EntryHeader } from '../archive.js';
import { derivedBytes } from '../../compress/derive-key.js';
import type { JobMap, PackedItem, SealOrder } from '../../compress/jobs.js';
import { batchRoom } from '../../compress/block-memory.js';
import type { Compressor } from '../../compress/compressor.js';
import { packedSumBytes } from '../../compress/packed-sum.js';
import { blockSize } from '../../base/limits.js';

/** Entries of one batch, at most: headers cost memory too. */
const maxEntries = 1024;
/** Deriving a key takes as long as deflating many kilobytes: the threads share such batches. */
const maxSealedEntries = 64;

interface Collected {
  readonly header: EntryHeader;
  /** Of its content, if that is to be packed. */
  readonly length: number | undefined;
  /** Packed already. */
  readonly taken?: Pick<PackedEntry, 'item' | 'packed' | 'sum' | 'written'>;
}

/** Small entries packed together: one message to a worker thread instead of one each. */
export interface PackedBatch {
  readonly entries: readonly PackedEntry[];
  /** What packed entries lie in: spare when they are written. */
  readonly memory?: Uint8Array;
}

export interface PackedEntry {
  readonly header: EntryHeader;
  readonly item: PackedItem;
  /** As it lies in the archive. */
  readonly packed: Buffer;
  /** Of an encrypted entry, where it was asked for; to be wiped. */
  readonly key: Buffer | undefined;
  /** Where it is traced. */
  readonly sum: Buffer | undefined;
  /** To be told when it is written. */
  readonly written?: (() => void) | undefined;
}

const emptyItem: PackedItem = { method: 0, length: 0, crc: 0, sha256: '' };
const nothing = { item: emptyItem, packed: Buffer.alloc(0), key: undefined, sum: undefined };

/** Gathers small files (and what lies between them) into batches of about one block. */
export class Batch {
  readonly #seal: SealOrder | undefined;
  readonly #traced: boolean;
  readonly #maxEntries: number;
  readonly #pool: Compressor;
  #collected: Collected[] = [];
  /** Contents, one behind the other. */
  #data: Buffer | undefined;
  #bytes = 0;
  #takenBytes = 0;

  /** `seal`: what has content is encrypted. `traced`: packed sums are wanted. */
  constructor(pool: Compressor, seal?: SealOrder, traced = false) {
    this.#pool = pool;
    this.#seal = seal;
    this.#traced = traced;
    this.#maxEntries = seal === undefined ? maxEntries : maxSealedEntries;
  }

  get isEmpty(): boolean {
    return this.#collected.length === 0;
  }

  get isFull(): boolean {
    return this.#bytes + this.#takenBytes >= blockSize || this.#collected.length >= this.#maxEntries;
  }

  /** Memory for the content of the next entry, which is not copied then. Used by nothing else until that is added. */
  room(bytes: number): Buffer {
    const free = this.#space().subarray(this.#bytes, this.#bytes + bytes);
    return free.length === bytes ? free : Buffer.allocUnsafe(bytes);
  }

  /** `bytes` (at most a block) undefined: an entry that has no content to be summed (a folder). */
  add(header: EntryHeader, bytes: Buffer | undefined): void {
    this.#collected.push({ header, length: bytes?.length });
    if (bytes === undefined) return;
    const space = this.#space();
    const isThere = bytes.buffer === space.buffer && bytes.byteOffset === space.byteOffset + this.#bytes;
    if (!isThere) bytes.copy(space, this.#bytes);
    this.#bytes += bytes.length;
  }

  /** One that is packed already, by an earlier archive. */
  take(header: EntryHeader, content: Extract<Content, { kind: 'packed' }>): void {
    const { bytes: packed, written } = content;
    const { place, sha256 } = content.packed;
    const { method, crc, sum } = place;
    const item = { method, length: packed.length, crc, sha256 };
    this.#collected.push({ header, length: undefined, taken: { item, packed, sum, written } });
    this.#takenBytes += packed.length;
  }

  #space(): Buffer {
    return (this.#data ??= this.#pool.room(batchRoom));
  }

  /** Packs what was gathered and begins anew. */
  async pack(level: number): Promise<PackedBatch> {
    const collected = this.#collected;
    const lengths = collected.flatMap(({ length }) => (length === undefined ? [] : [length]));
    this.#collected = [];
    this.#takenBytes = 0;
    if (lengths.length === 0) return { entries: collected.map(unpacked) };
    const data = this.#space().subarray(0, this.#bytes);
    this.#data = undefined;
    this.#bytes = 0;
    const seal = this.#seal === undefined ? {} : { seal: this.#seal };
    const job = { data, lengths, level, traced: this.#traced, ...seal };
    return distribute(collected, await this.#pool.run('deflate-batch', job));
  }
}

/** One without content, or taken over. */
function unpacked({ header, taken }: Collected): PackedEntry {
  return taken === undefined ? { header, ...nothing } : { header, ...taken, key: undefined };
}

function distribute(collected: readonly Collected[], result: JobMap['deflate-batch']['out']): PackedBatch {
  const { data, items } = result;
  const keys = Buffer.from(result.keys.buffer, result.keys.byteOffset, result.keys.length);
  const sums = Buffer.from(result.sums.buffer, result.sums.byteOffset, result.sums.length);
  let next = 0;
  let at = 0;
  let keyAt = 0;
  const entries = collected.map((one): PackedEntry => {
    const { header, length } = one;
    if (length === undefined) return unpacked(one);
    const sum = sums.length === 0 ? undefined : sums.subarray(next * packedSumBytes, (next + 1) * packedSumBytes);
    const item = items[next++];
    if (item === undefined) throw new Error('a packed batch has fewer items than it was given');
    const packed = Buffer.from(data.buffer, data.byteOffset + at, item.length);
    at += item.length;
    const key = length > 0 && keys.length > 0 ? keys.subarray(keyAt, (keyAt += derivedBytes(3))) : undefined;
    return { header, item, packed, key, sum };
  });
  return { entries, memory: data };
}
