import { compareSums } from './compare-sums.js';
import { deflateBatch, deflateBlock, gzipMember } from './deflate.js';
import { cipherBlock, gunzipMember, inflateBatch, inflateBlock } from './inflate.js';
import type { JobKind, JobMap } from './jobs.js';

const jobs: { readonly [K in JobKind]: (input: JobMap[K]['in']) => JobMap[K]['out'] } = {
  'deflate-batch': deflateBatch,
  'deflate-block': deflateBlock,
  'gzip-member': gzipMember,
  'inflate-batch': inflateBatch,
  'inflate-block': inflateBlock,
  cipher: cipherBlock,
  'compare-sums': compareSums,
  'gunzip-member': gunzipMember,
};

/** Runs a job on this thread. Throws where the bytes given to it are not what they should be. */
export function runJob<K extends JobKind>(kind: K, input: JobMap[K]['in']): JobMap[K]['out'] {
  return jobs[kind](input);
}
