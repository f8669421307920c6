import { closeSync, write } from 'node:fs';
import { promisify } from 'node:util';
import type { ByteSink } from '../base/byte-source.js';
import { ioError } from '../base/errors.js';

const writeAt = promisify(write);

/** A file being written piece by piece in a tree. To be closed or abandoned. */
export class TreeFile implements ByteSink {
  readonly #fd: number;
  readonly #display: string;
  readonly #complete: () => Promise<void>;
  #isOpen = true;

  /** `complete` sets its metadata and takes the descriptor over. */
  constructor(fd: number, display: string, complete: () => Promise<void>) {
    this.#fd = fd;
    this.#display = display;
    this.#complete = complete;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await writeAt(this.#fd, bytes, done, bytes.length - done, null);
        done += bytesWritten;
      }
    } catch (error) {
      throw ioError('writing', this.#display, error, 'target-unwritable');
    }
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#complete();
  }

  /** Lets go of it; what was written of it is left to whoever removes the tree. */
  abandon(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#fd);
  }
}
