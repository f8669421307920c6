import { errorText } from '../base/errors.js';
import { ownMemory } from '../base/own-memory.js';
import type { JobKind, JobMap } from './jobs.js';
import { runJob } from './run-job.js';

/** A job's own failure: the bytes given to it are not what they should be. */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';
}

/** What deflates, inflates, encrypts and decrypts. Jobs run in any order; who needs results in order awaits them in order. */
export interface Compressor {
  /** How many jobs run at once. */
  readonly width: number;
  /** Memory for the `data` of a job: that of blocks and batches is used again. Nothing else may lie in it. */
  room(bytes: number): Buffer;
  /** Takes memory back that nobody uses any longer, if it is such as `room` gives. */
  spare(memory: Uint8Array): void;
  /** The input's `data` is transferred: the caller may not use it (or anything in its buffer) afterwards. */
  run<K extends JobKind>(kind: K, input: JobMap[K]['in']): Promise<JobMap[K]['out']>;
}

/** Does each job at once, on the thread that asks: for so few of them that starting another thread would take longer. */
export const callingThread: Compressor = {
  width: 1,
  room: ownMemory,
  spare: () => undefined,
  run: (kind, input) => {
    try {
      return Promise.resolve(runJob(kind, input));
    } catch (error) {
      return Promise.reject(new JobFailure(errorText(error)));
    }
  },
};
