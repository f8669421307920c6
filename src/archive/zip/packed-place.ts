import type { PackedPlace } from '../archive.js';
import { packedSumBytes } from '../../compress/packed-sum.js';
import type { PackedEntry } from './batch.js';
import type { LargeEntry } from './entry-fields.js';

/** Where a small file lies; undefined where it was not traced. `offset`: of its first packed byte. */
export function smallPlace({ item, packed, sum }: PackedEntry, offset: number): PackedPlace | undefined {
  if (sum === undefined) return undefined;
  const { method, crc } = item;
  // Memory of its own: what it lies in is a whole batch's.
  return { offset, length: packed.length, method, crc, sum: Buffer.from(sum), blocks: undefined };
}

const contentSumBytes = 32;

/** The same of a large one. */
export function largePlace(entry: LargeEntry, seal: Seal): PackedPlace | undefined {
  const { traces, blocks: sizes, crc, dataAt: offset } = entry;
  const sums = joined(traces.map(({ sum }) => sum));
  if (sums.length !== sizes.length * packedSumBytes) return undefined;
  const contents = joined(traces.map(({ content }) => content));
  const length = sizes.reduce((total, size) => total + size, seal.head.length + seal.tail.length);
  const isComparable = contents.length === sizes.length * contentSumBytes;
  const blocks = { sizes, sums, contents: isComparable ? contents : undefined, ...seal };
  return { offset, length, method: 8, crc, sum: undefined, blocks };
}

/** What encryption puts before and behind the blocks; empty without it. */
export interface Seal {
  readonly head: Buffer;
  readonly tail: Buffer;
}

export const headOf = ({ seal, taken }: LargeEntry): Buffer => seal?.head ?? taken?.head ?? Buffer.alloc(0);

const joined = (sums: readonly (Uint8Array | undefined)[]): Buffer =>
  Buffer.concat(sums.filter((sum) => sum !== undefined));
