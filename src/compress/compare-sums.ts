import type { JobMap } from './jobs.js';
import { packedSum } from './packed-sum.js';

/** Whether packed bytes are what they were when their sums were taken. */
export function compareSums({ data, items }: JobMap['compare-sums']['in']): JobMap['compare-sums']['out'] {
  return {
    data,
    intact: items.map(({ start, length, sum }) => packedSum(data.subarray(start, start + length)).equals(sum)),
  };
}
