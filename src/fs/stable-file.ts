import { close, read } from 'node:fs';
import { promisify } from 'node:util';
import { ioError } from '../base/errors.js';
import { ownMemory } from '../base/own-memory.js';
import { hasChanged, type FileStat } from './file-stat.js';

const readAt = promisify(read);
const closeFile = promisify(close);

interface Reading {
  readonly block: Buffer;
  readonly seen: Promise<number>;
}

/**
 * A large file as it was when opened: `stat` and exactly `stat.size` bytes, whatever happens to it meanwhile. To read a
 * file that changed once more, it is opened anew.
 */
export class StableFile {
  readonly stat: FileStat;
  readonly #path: string;
  readonly #fd: number;
  #changed: boolean | undefined;
  #failure: unknown;
  #isOpen = true;
  #reading: Promise<unknown> = Promise.resolve();

  /** Takes the descriptor over. */
  constructor(fd: number, path: string, stat: FileStat) {
    this.#fd = fd;
    this.#path = path;
    this.stat = stat;
  }

  /**
   * Its bytes from the beginning, in blocks, each in memory of its own that `room` gives. A file that became shorter is filled up with zeros:
   * its size was declared before. Where the device fails, it throws `io-failed`, or fills up as well and keeps the `failure`.
   */
  async *read(
    blockBytes: number,
    onFailure: 'throw' | 'fill' = 'throw',
    room: (bytes: number) => Buffer = ownMemory,
  ): AsyncGenerator<Buffer, void, undefined> {
    this.#changed = undefined;
    this.#failure = undefined;
    let sawEnd = false;
    const begin = (at: number): Reading | undefined => {
      if (at >= this.stat.size) return undefined;
      const block = room(Math.min(blockBytes, this.stat.size - at));
      const seen = sawEnd ? Promise.resolve(0) : this.#fill(block, at, onFailure);
      // Its failure is thrown when its turn comes, or never, where nobody reads so far.
      this.#reading = seen.catch(() => undefined);
      return { block, seen };
    };
    // While one block is looked at, the next is read.
    let next = begin(0);
    for (let at = 0; next !== undefined; at += blockBytes) {
      const { block }: Reading = next;
      const seen = await next.seen;
      if (seen < block.length) {
        sawEnd = true;
        block.fill(0, seen);
      }
      next = begin(at + blockBytes);
      yield block;
    }
    const grew = !sawEnd && (await this.#fill(Buffer.allocUnsafe(1), this.stat.size, onFailure)) > 0;
    this.#changed = sawEnd || grew || hasChanged(this.stat, this.#fd);
  }

  /** Whether the bytes read may never have been its content. True until they were read to the end. */
  changed(): boolean {
    return this.#changed ?? true;
  }

  /** Why what was read ends with zeros, where reading failed. */
  get failure(): unknown {
    return this.#failure;
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    // Its descriptor may be another file's as soon as it is closed.
    await this.#reading;
    await closeFile(this.#fd);
  }

  /** Fills a block from a position; gives fewer bytes only where the file ends. */
  async #fill(block: Buffer, position: number, onFailure: 'throw' | 'fill'): Promise<number> {
    let done = 0;
    while (done < block.length) {
      const bytesRead = await this.#readOnce(block, done, position + done).catch((error: unknown) => {
        if (onFailure === 'throw') throw error;
        this.#failure = error;
        return 0;
      });
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  async #readOnce(block: Buffer, offset: number, position: number): Promise<number> {
    try {
      return (await readAt(this.#fd, block, offset, block.length - offset, position)).bytesRead;
    } catch (error) {
      throw ioError('reading', this.#path, error);
    }
  }
}
