import { blockSize } from '../base/limits.js';
import { ownMemory } from '../base/own-memory.js';

/** Room for a block, also as stored blocks of deflate, with what a container puts around it. */
export const blockRoom = blockSize + 4096;

/** Room for what is gathered up to a block, and the file that goes beyond it, and a byte that shows whether it grew. */
export const batchRoom = 2 * blockSize + 4096;

/**
 * Memory for blocks and batches, used again: fresh memory for each would have to be made, cleared and collected, and what is
 * not yet collected can be many times what is in use.
 */
export class BlockMemory {
  readonly #kept = new Map<number, ArrayBuffer[]>([
    [blockRoom, []],
    [batchRoom, []],
  ]);
  readonly #most: number;

  /** `most`: of each size, kept for later. */
  constructor(most: number) {
    this.#most = most;
  }

  /** What it holds is undefined. Alone in its ArrayBuffer, which has room for more where there are fewer bytes than a block. */
  take(bytes: number): Buffer {
    const room = roomFor(bytes);
    const kept = this.#kept.get(room)?.pop();
    return (kept === undefined ? ownMemory(room) : Buffer.from(kept)).subarray(0, bytes);
  }

  /** Takes back what nobody uses any longer. */
  give(memory: ArrayBuffer): void {
    const kept = this.#kept.get(memory.byteLength);
    if (kept !== undefined && kept.length < this.#most) kept.push(memory);
  }
}

function roomFor(bytes: number): number {
  if (bytes <= blockRoom) return blockRoom;
  return Math.max(bytes, batchRoom);
}

/** What `bytes` lies in, from its beginning: memory that `BlockMemory` gave. Undefined where it is other memory. */
export function memoryBehind({ buffer }: Uint8Array): Buffer | undefined {
  const isOurs = buffer instanceof ArrayBuffer && (buffer.byteLength === blockRoom || buffer.byteLength === batchRoom);
  return isOurs ? Buffer.from(buffer) : undefined;
}
