import type { PackedPlace } from '../archive.js';
import { blocksPlace } from '../blocks-place.js';
import type { PackedEntry } from './batch.js';
import type { LargeEntry } from './entry-fields.js';

/** Where a small file lies; undefined where it was not traced. `offset`: of its first packed byte. */
export function smallPlace({ item, packed, sum }: PackedEntry, offset: number): PackedPlace | undefined {
  if (sum === undefined) return undefined;
  const { method, crc } = item;
  // Memory of its own: what it lies in is a whole batch's.
  return { offset, length: packed.length, method, crc, sum: Buffer.from(sum), blocks: undefined };
}

/** The same of a large one. */
export const largePlace = ({ traces, blocks, crc, dataAt }: LargeEntry, seal: Seal): PackedPlace | undefined =>
  blocksPlace({ offset: dataAt, sizes: blocks, traces, crc, ...seal });

/** What encryption puts before and behind the blocks; empty without it. */
export interface Seal {
  readonly head: Buffer;
  readonly tail: Buffer;
}

export const headOf = ({ seal, taken }: LargeEntry): Buffer => seal?.head ?? taken?.head ?? Buffer.alloc(0);
