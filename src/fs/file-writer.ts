import { Worker } from 'node:worker_threads';
import { entryPoint } from '../base/entry-point.js';
import { BkpError, errorText } from '../base/errors.js';
import { blockSize } from '../base/limits.js';
import type { BatchedFile, FileBatch, WrittenBatch } from './file-batch.js';
import type { Metadata, MetadataLosses, OwnerPolicy } from './metadata.js';
import type { InsideFolder } from './open-inside.js';

/** A batch is sent with so many files, where their bytes do not fill it first. */
const maxFiles = 256;
/** One is written and one waits, while another is filled. */
const maxUnder = 2;

interface Sent {
  readonly paths: readonly string[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes small files below a folder on a thread of its own, while what comes after them is decoded: making a file takes the
 * system longer than decoding one takes us. Measured: a second thread makes it no faster, as names are made in a folder by
 * one at a time. A failure is told by a later call.
 */
export class FileWriter {
  readonly #inside: InsideFolder;
  readonly #owner: OwnerPolicy;
  readonly #thread: Worker;
  readonly #sent: Sent[] = [];
  readonly #under = new Set<Promise<void>>();
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  readonly #losses: MetadataLosses = { ownersNotSet: 0, setIdsDropped: 0 };
  #failure: { readonly error: unknown } | undefined;
  #data: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;
  #files: BatchedFile[] = [];
  #paths: string[] = [];

  constructor(inside: InsideFolder, owner: OwnerPolicy) {
    this.#inside = inside;
    this.#owner = owner;
    this.#thread = new Worker(entryPoint('fs/file-writer-thread.js'), { stdin: false, execArgv: [] });
    this.#thread.on('message', (written: WrittenBatch) => this.#settle(written));
    this.#thread.on('error', (error) => this.#fail(threadFailed(errorText(error), error)));
    this.#thread.on('exit', (code) => this.#fail(threadFailed(`it ended with code ${code}`)));
  }

  /** A file of at most one block, in a folder that is there. Its bytes are copied. Waits while too much is under way. */
  async add(path: string, bytes: Uint8Array, meta: Metadata): Promise<void> {
    if (this.#filled + bytes.length > blockSize || this.#files.length === maxFiles) await this.#send();
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#data ??= this.#spare.pop() ?? new Uint8Array(blockSize);
    this.#data.set(bytes, this.#filled);
    const { mode, mtime, uid, gid } = meta;
    const at = { path: this.#inside.at(path), start: this.#filled, length: bytes.length };
    this.#files.push({ ...at, meta: { mode, mtime, uid, gid } });
    this.#paths.push(path);
    this.#filled += bytes.length;
  }

  /** Waits until all are written; what could not be put back of their metadata. Throws the first failure. */
  async drain(): Promise<MetadataLosses> {
    await this.#send();
    await Promise.all(this.#under);
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#losses;
  }

  /** Lets go of everything: nothing is written below the folder afterwards. */
  async close(): Promise<void> {
    this.#fail(new Error('the writer is closed'));
    await this.#thread.terminate();
  }

  async #send(): Promise<void> {
    if (this.#data === undefined) return;
    const batch: FileBatch = { data: this.#data, files: this.#files, owner: this.#owner };
    const paths = this.#paths;
    [this.#data, this.#files, this.#paths, this.#filled] = [undefined, [], [], 0];
    const task = new Promise<void>((resolve, reject) => {
      this.#sent.push({ paths, resolve, reject });
      this.#thread.postMessage(batch, [batch.data.buffer]);
    })
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => this.#under.delete(task));
    this.#under.add(task);
    while (this.#under.size >= maxUnder) await Promise.race(this.#under);
  }

  #settle({ data, losses, failure }: WrittenBatch): void {
    const sent = this.#sent.shift();
    if (sent === undefined) return;
    this.#spare.push(data);
    this.#losses.ownersNotSet += losses.ownersNotSet;
    this.#losses.setIdsDropped += losses.setIdsDropped;
    if (failure === undefined) return sent.resolve();
    const { index, doing, message, code } = failure;
    try {
      this.#inside.try(doing, sent.paths[index] ?? '', () => {
        throw Object.assign(new Error(message), { code });
      });
    } catch (error) {
      sent.reject(error);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    for (const { reject } of this.#sent.splice(0)) reject(error);
  }
}

const threadFailed = (reason: string, cause?: unknown): BkpError =>
  new BkpError('internal', `the thread that writes files failed: ${reason}`, { cause });
