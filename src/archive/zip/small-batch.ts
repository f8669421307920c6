import type { Decoded, DecodedEntry, EntryHeader } from '../archive.js';
import type { ZipEntry } from './zip-entry.js';
import { sealOf, unsealed } from './entry-seal.js';
import type { Unlocked } from './unlocked.js';
import { blockSize } from '../../base/limits.js';
import { saltBytes, type Strength } from '../../compress/derive-key.js';
import { batchRoom } from '../../compress/block-memory.js';
import type { InflatedItem, InflateItem, JobMap } from '../../compress/jobs.js';
import type { Compressor } from '../../compress/compressor.js';

/** A batch is full at this many packed bytes, this many bytes of content, or this many entries. */
const maxPacked = blockSize;
const maxContent = 4 * blockSize;
const maxEntries = 1024;
/** And at this many keys to be derived, so that the threads share them. */
const maxDerivations = 64;

interface Slot {
  readonly header: EntryHeader;
  /** Known already, or the number of its item in the job. */
  readonly decoded: Decoded | number;
}

/** Small entries decoded together on one worker thread, in order. */
export class SmallBatch {
  readonly #pool: Compressor;
  readonly #unlocked: Unlocked | undefined;
  readonly #keys: Buffer[] = [];
  #keyBytes = 0;
  #derivations = 0;
  readonly #slots: Slot[] = [];
  readonly #items: InflateItem[] = [];
  /** Packed bytes, one behind the other. */
  #data: Buffer | undefined;
  #packedBytes = 0;
  #contentBytes = 0;

  /** `unlocked`: there where encrypted entries are added. */
  constructor(pool: Compressor, unlocked: Unlocked | undefined) {
    this.#pool = pool;
    this.#unlocked = unlocked;
  }

  get isEmpty(): boolean {
    return this.#slots.length === 0;
  }

  get isFull(): boolean {
    if (this.#slots.length >= maxEntries || this.#derivations >= maxDerivations) return true;
    return this.#packedBytes >= maxPacked || this.#contentBytes >= maxContent;
  }

  addDecoded(header: EntryHeader, decoded: Decoded): void {
    this.#slots.push({ header, decoded });
  }

  /** An entry to be inflated; folders and links too, whose content is nothing or the target. */
  addPacked(entry: ZipEntry, packed: Buffer, keep: boolean): void {
    const { header, size } = entry;
    const { method, crc } = unsealed(entry);
    const strength = sealOf(entry)?.strength;
    const seal = strength === undefined ? {} : { seal: { strength, keyAt: this.#knownKey(packed, strength) } };
    this.#slots.push({ header, decoded: this.#items.length });
    this.#items.push({ method: method === 8 ? 8 : 0, length: packed.length, size, crc, keep, ...seal });
    packed.copy(this.#space(packed.length), this.#packedBytes);
    this.#packedBytes += packed.length;
    this.#contentBytes += size;
  }

  /** Where its key lies among those that go with the batch; undefined where it has to be derived. */
  #knownKey(packed: Buffer, strength: Strength): number | undefined {
    const key = strength === 3 ? this.#unlocked?.keys?.find(packed.subarray(0, saltBytes[strength])) : undefined;
    if (key === undefined) {
      this.#derivations += 1;
      return undefined;
    }
    const at = this.#keyBytes;
    this.#keys.push(key);
    this.#keyBytes += key.length;
    return at;
  }

  /** With room for so many bytes more. */
  #space(bytes: number): Buffer {
    const needed = this.#packedBytes + bytes;
    const data = this.#data ?? this.#pool.room(Math.max(batchRoom, needed));
    this.#data = data.length >= needed ? data : Buffer.concat([data.subarray(0, this.#packedBytes)], needed);
    return this.#data;
  }

  async run(): Promise<DecodedEntry[]> {
    const items = this.#items;
    const data = this.#space(0).subarray(0, this.#packedBytes);
    const result = items.length === 0 ? { data, items: [] } : await this.#decode(data);
    const starts = contentStarts(items);
    return this.#slots.map(({ header, decoded }) => {
      if (typeof decoded !== 'number') return { header, content: decoded };
      const item = items[decoded];
      const inflated = result.items[decoded];
      if (item === undefined || inflated === undefined) throw new Error('a batch came back with other items');
      const start = result.data.byteOffset + (starts[decoded] ?? 0);
      const bytes = item.keep ? Buffer.from(result.data.buffer, start, item.size) : undefined;
      return finished(header, inflated, bytes);
    });
  }

  async #decode(data: Buffer): Promise<JobMap['inflate-batch']['out']> {
    const items = this.#items;
    if (this.#unlocked === undefined) return this.#pool.run('inflate-batch', { data, items });
    // Memory of its own, that is wiped.
    const keys = Buffer.alloc(this.#keyBytes);
    this.#keys.reduce((at, key) => at + key.copy(keys, at), 0);
    try {
      return await this.#pool.run('inflate-batch', {
        data,
        items,
        open: { passphrase: this.#unlocked.secret.bytes, keys },
      });
    } finally {
      keys.fill(0);
    }
  }
}

/** Where the content of each item lies in the job's result, which holds those to keep. */
function contentStarts(items: readonly InflateItem[]): number[] {
  let at = 0;
  return items.map((item) => {
    const start = at;
    if (item.keep) at += item.size;
    return start;
  });
}

function finished(header: EntryHeader, inflated: InflatedItem, bytes: Buffer | undefined): DecodedEntry {
  if ('damage' in inflated) {
    const damage = { id: inflated.damage, message: inflated.message, path: header.path };
    return { header, content: { kind: 'damaged', damage } };
  }
  switch (header.kind) {
    case 'file':
      if (bytes === undefined) return { header, content: { kind: 'sum', sha256: inflated.sha256 } };
      return { header, content: { kind: 'bytes', bytes, sha256: inflated.sha256 } };
    case 'link':
      return linkEntry(header, bytes ?? Buffer.alloc(0));
    case 'directory':
      return { header, content: { kind: 'none' } };
  }
}

function linkEntry(header: EntryHeader, bytes: Buffer): DecodedEntry {
  const target = bytes.toString();
  if (target !== '' && !target.includes('\0') && Buffer.from(target).equals(bytes)) {
    return { header: { ...header, target }, content: { kind: 'none' } };
  }
  const damage = {
    id: 'entry-path-unsafe',
    message: "the link's target is not valid text",
    path: header.path,
  } as const;
  return { header, content: { kind: 'damaged', damage } };
}
