import type { PackedBlocks } from './archive.js';
import { packedSumBytes } from '../compress/packed-sum.js';

/** Bytes of a SHA-256. */
export const contentSumBytes = 32;

/** The packed sum of one block. */
export const packedSumAt = ({ sums }: PackedBlocks, index: number): Buffer =>
  sums.subarray(index * packedSumBytes, (index + 1) * packedSumBytes);

/** The SHA-256 of the content of one block; undefined where those were not asked for. */
export const contentSumAt = ({ contents }: PackedBlocks, index: number): Buffer | undefined =>
  contents?.subarray(index * contentSumBytes, (index + 1) * contentSumBytes);
