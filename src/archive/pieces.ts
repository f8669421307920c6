import type { ByteSource } from '../base/byte-source.js';
import { blockSize } from '../base/limits.js';
import { ownMemory } from '../base/own-memory.js';

/**
 * All bytes of a source in order, in pieces of at most a block of which none reaches across `border`. The next piece is read
 * while one is looked at: each is valid until the one after it is asked for.
 */
export async function* piecesOf(source: ByteSource, border = 0): AsyncGenerator<Buffer> {
  const memory = [ownMemory(blockSize), ownMemory(blockSize)];
  const read = (at: number, index: number): Promise<Buffer> => {
    const stop = at < border ? border : source.size;
    const piece = source.read(at, Math.min(blockSize, stop - at), memory[index % 2]);
    // Its failure is thrown when its turn comes, or never, where nobody asks for it.
    piece.catch(() => undefined);
    return piece;
  };
  let next = source.size > 0 ? read(0, 0) : undefined;
  for (let at = 0, index = 1; next !== undefined; index += 1) {
    const piece: Buffer = await next;
    at += piece.length;
    next = at < source.size ? read(at, index) : undefined;
    yield piece;
  }
}
