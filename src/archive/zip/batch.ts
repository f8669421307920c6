import type { EntryHeader } from '../archive.js';
import type { PackedItem } from '../../compress/jobs.js';
import type { CompressPool } from '../../compress/pool.js';
import { blockSize } from '../../base/limits.js';

/** Entries of one batch, at most: headers cost memory too. */
const maxEntries = 1024;

interface Collected {
  readonly header: EntryHeader;
  readonly bytes: Buffer | undefined;
}

/** Small entries packed together: one message to a worker thread instead of one each. */
export interface PackedBatch {
  readonly entries: readonly PackedEntry[];
}

export interface PackedEntry {
  readonly header: EntryHeader;
  readonly item: PackedItem;
  readonly packed: Buffer;
}

const emptyItem: PackedItem = { method: 0, length: 0, crc: 0, sha256: '' };
const noBytes = Buffer.alloc(0);

/** Gathers small files (and what lies between them) into batches of about one block. */
export class Batch {
  #collected: Collected[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#collected.length === 0;
  }

  get isFull(): boolean {
    return this.#bytes >= blockSize || this.#collected.length >= maxEntries;
  }

  /** `bytes` undefined: an entry that has no content to be summed (a folder). */
  add(header: EntryHeader, bytes: Buffer | undefined): void {
    this.#collected.push({ header, bytes });
    this.#bytes += bytes?.length ?? 0;
  }

  /** Packs what was gathered and begins anew. */
  async pack(pool: CompressPool, level: number): Promise<PackedBatch> {
    const collected = this.#collected;
    const data = Buffer.allocUnsafeSlow(this.#bytes);
    this.#collected = [];
    this.#bytes = 0;
    const lengths: number[] = [];
    let at = 0;
    for (const { bytes } of collected) {
      if (bytes === undefined) continue;
      data.set(bytes, at);
      at += bytes.length;
      lengths.push(bytes.length);
    }
    if (lengths.length === 0) {
      return { entries: collected.map(({ header }) => ({ header, item: emptyItem, packed: noBytes })) };
    }
    return distribute(collected, await pool.run('deflate-batch', { data, lengths, level }));
  }
}

function distribute(
  collected: readonly Collected[],
  result: { readonly data: Uint8Array; readonly items: readonly PackedItem[] },
): PackedBatch {
  const { data, items } = result;
  let next = 0;
  let at = 0;
  const entries = collected.map(({ header, bytes }): PackedEntry => {
    if (bytes === undefined) return { header, item: emptyItem, packed: noBytes };
    const item = items[next++];
    if (item === undefined) throw new Error('a packed batch has fewer items than it was given');
    const packed = Buffer.from(data.buffer, data.byteOffset + at, item.length);
    at += item.length;
    return { header, item, packed };
  });
  return { entries };
}
