import { closeSync, fsync } from 'node:fs';
import { promisify } from 'node:util';
import { ioError } from '../base/errors.js';

const syncFile = promisify(fsync);

/** Enough for the file system to put many into one transaction of its journal. */
const maxInFlight = 16;

/** Brings written files to the disk, some at a time, and closes them. */
export class SyncQueue {
  readonly #inFlight = new Set<Promise<void>>();
  #failure: Error | undefined;

  /** Takes the descriptor over. Waits while too many are under way; throws the first failure of any so far. */
  async add(fd: number, path: string): Promise<void> {
    const task = this.#syncAndClose(fd, path).finally(() => this.#inFlight.delete(task));
    this.#inFlight.add(task);
    while (this.#inFlight.size >= maxInFlight) await Promise.race(this.#inFlight);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Waits for all; throws the first failure. */
  async drain(): Promise<void> {
    await this.settle();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Waits for all, whatever became of them. */
  async settle(): Promise<void> {
    await Promise.all(this.#inFlight);
  }

  async #syncAndClose(fd: number, path: string): Promise<void> {
    try {
      try {
        await syncFile(fd);
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      this.#failure ??= ioError('syncing', path, error, 'target-unwritable');
    }
  }
}
