import type { PackedPlace } from './archive.js';
import { contentSumBytes } from './block-sums.js';
import type { TracedBlock } from '../compress/jobs.js';
import { packedSumBytes } from '../compress/packed-sum.js';

export interface WrittenBlocks {
  /** Of what lies before the first block. */
  readonly offset: number;
  /** Packed bytes of each. */
  readonly sizes: readonly number[];
  /** What was traced of each. */
  readonly traces: readonly TracedBlock[];
  readonly crc: number;
  /** What encryption puts before and behind them; empty without it. */
  readonly head: Buffer;
  readonly tail: Buffer;
}

/** Where a large file lies; undefined where it was not traced. */
export function blocksPlace({ offset, sizes, traces, crc, head, tail }: WrittenBlocks): PackedPlace | undefined {
  const sums = joined(traces.map(({ sum }) => sum));
  if (sums.length !== sizes.length * packedSumBytes) return undefined;
  const contents = joined(traces.map(({ content }) => content));
  const length = sizes.reduce((total, size) => total + size, head.length + tail.length);
  const isComparable = contents.length === sizes.length * contentSumBytes;
  const blocks = { sizes, sums, contents: isComparable ? contents : undefined, head, tail };
  return { offset, length, method: 8, crc, sum: undefined, blocks };
}

const joined = (sums: readonly (Uint8Array | undefined)[]): Buffer =>
  Buffer.concat(sums.filter((sum) => sum !== undefined));

/** Where each of the blocks begins, the first one at `from`. */
export function blockStarts(sizes: readonly number[], from: number): readonly number[] {
  let at = from;
  return sizes.map((size) => {
    const start = at;
    at += size;
    return start;
  });
}
