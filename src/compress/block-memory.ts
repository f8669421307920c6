import { blockSize } from '../base/limits.js';

/** Room for what is gathered up to a block, and the file that goes beyond it, and a byte that shows whether it grew. */
export const batchRoom = 2 * blockSize + 4096;

/**
 * Memory for blocks and batches, used again: fresh memory for each would have to be made, cleared and collected, and what is
 * not yet collected can be many times what is in use.
 */
export class BlockMemory {
  readonly #kept = new Map<number, ArrayBuffer[]>([
    [blockSize, []],
    [batchRoom, []],
  ]);
  readonly #most: number;

  /** `most`: of each size, kept for later. */
  constructor(most: number) {
    this.#most = most;
  }

  /** What it holds is undefined. Alone in its ArrayBuffer. */
  take(bytes: number): Buffer {
    const kept = this.#kept.get(bytes)?.pop();
    return kept === undefined ? Buffer.allocUnsafeSlow(bytes) : Buffer.from(kept);
  }

  /** Takes back what nobody uses any longer. */
  give(memory: ArrayBuffer): void {
    const kept = this.#kept.get(memory.byteLength);
    if (kept !== undefined && kept.length < this.#most) kept.push(memory);
  }
}
