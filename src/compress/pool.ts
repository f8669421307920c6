import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { BlockMemory } from './block-memory.js';
import { entryPoint } from '../base/entry-point.js';
import { BkpError, errorText } from '../base/errors.js';
import { JobFailure, type Compressor } from './compressor.js';
import type { JobKind, JobMap, JobReply } from './jobs.js';

interface Pending {
  readonly worker: Member;
  readonly resolve: (output: never) => void;
  readonly reject: (error: Error) => void;
}

interface Member {
  readonly thread: Worker;
  load: number;
}

const maxThreads = 16;
/** What a thread makes and drops is small beside its blocks: with less room for it, each takes less memory and no more time. */
const resourceLimits = { maxYoungGenerationSizeMb: 12 };

/**
 * Worker threads that deflate and inflate. Jobs run in any order; who needs results in order awaits them in order.
 * The pool does not bound what is queued: `OrderedQueue` and the readers do.
 */
export class CompressPool implements Compressor {
  readonly width: number;
  readonly #members: Member[] = [];
  readonly #pending = new Map<number, Pending>();
  readonly #memory: BlockMemory;
  #nextId = 0;
  #failure: Error | undefined;

  /** `width`: threads, at most; they start with the first job. */
  constructor(width = availableParallelism()) {
    this.width = Math.max(1, Math.min(width, maxThreads));
    this.#memory = new BlockMemory(2 * this.width + 2);
  }

  room(bytes: number): Buffer {
    return this.#memory.take(bytes);
  }

  spare({ buffer }: Uint8Array): void {
    if (buffer instanceof ArrayBuffer) this.#memory.give(buffer);
  }

  run<K extends JobKind>(kind: K, input: JobMap[K]['in']): Promise<JobMap[K]['out']> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const worker = this.#leastLoaded();
    // A thread keeps the process alive while it works, and only then.
    if (worker.load === 0) worker.thread.ref();
    worker.load += 1;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { worker, resolve, reject });
      const { buffer } = input.data;
      worker.thread.postMessage({ id, kind, input }, buffer instanceof ArrayBuffer ? [buffer] : []);
    });
  }

  async close(): Promise<void> {
    this.#fail(new Error('the pool is closed'));
    await Promise.all(this.#members.splice(0).map((member) => member.thread.terminate()));
  }

  #leastLoaded(): Member {
    const idle = this.#members.find((member) => member.load === 0);
    if (idle !== undefined) return idle;
    if (this.#members.length < this.width) return this.#start();
    return this.#members.reduce((least, member) => (member.load < least.load ? member : least));
  }

  #start(): Member {
    const thread = new Worker(entryPoint('compress/worker.js'), { stdin: false, execArgv: [], resourceLimits });
    const member: Member = { thread, load: 0 };
    thread.on('message', (reply: JobReply) => this.#settle(reply));
    thread.on('error', (error) => this.#fail(threadFailed(errorText(error), error)));
    // None ends before the pool is closed, which is the first failure then.
    thread.on('exit', (code) => this.#fail(threadFailed(`it ended with code ${code}`)));
    this.#members.push(member);
    return member;
  }

  #settle(reply: JobReply): void {
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) return;
    this.#pending.delete(reply.id);
    pending.worker.load -= 1;
    if (pending.worker.load === 0) pending.worker.thread.unref();
    if ('error' in reply) {
      pending.reject(new JobFailure(reply.error));
      return;
    }
    if (reply.spent !== undefined) this.#memory.give(reply.spent);
    pending.resolve(reply.output as never);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

const threadFailed = (reason: string, cause?: unknown): BkpError =>
  new BkpError('internal', `a compression thread failed: ${reason}`, { cause });
