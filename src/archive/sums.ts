import { createHash } from 'node:crypto';
import type { EntryHeader } from './archive.js';
import { ArchiveDamage } from '../base/damage.js';
import { memoryBehind } from '../compress/block-memory.js';

/** Counts a large file's bytes on their way through, and hashes them where `done` wants the sum; throws where they are not exactly the header's size. */
export async function* metered(
  header: EntryHeader,
  chunks: AsyncIterable<Buffer>,
  done?: (sha256: string) => void,
): AsyncGenerator<Buffer> {
  const hash = done === undefined ? undefined : createHash('sha256');
  let seen = 0;
  for await (const chunk of chunks) {
    seen += chunk.length;
    if (seen > header.size) break;
    hash?.update(chunk);
    yield chunk;
  }
  if (seen !== header.size) {
    const found = seen > header.size ? 'more' : seen;
    throw new ArchiveDamage('size-mismatch', `expected ${header.size} bytes, found ${found}`, header.path);
  }
  if (hash !== undefined) done?.(hash.digest('hex'));
}

/**
 * Cuts a stream of chunks into blocks of exactly `blockBytes` (the last one shorter), each in memory of its own that `room`
 * gives. A chunk that lies in a pool's memory already is a gift: it is a block itself, or others are added to it.
 */
export async function* inBlocks(
  chunks: AsyncIterable<Buffer>,
  blockBytes: number,
  room: (bytes: number) => Buffer,
): AsyncGenerator<Buffer> {
  let block: Buffer | undefined;
  let filled = 0;
  const taken = (): Buffer | undefined => {
    const full = block?.subarray(0, filled);
    block = undefined;
    filled = 0;
    return full;
  };
  for await (const chunk of chunks) {
    // Once it is given away, it has none.
    const { length } = chunk;
    let read = 0;
    if (block === undefined && chunk.byteOffset === 0 && length <= blockBytes) {
      block = memoryBehind(chunk)?.subarray(0, blockBytes);
      if (block !== undefined) filled = read = length;
    }
    for (;;) {
      const full = filled === blockBytes ? taken() : undefined;
      if (full !== undefined) yield full;
      if (read === length) break;
      block ??= room(blockBytes);
      const copied = chunk.copy(block, filled, read);
      read += copied;
      filled += copied;
    }
  }
  const rest = filled > 0 ? taken() : undefined;
  if (rest !== undefined) yield rest;
}
