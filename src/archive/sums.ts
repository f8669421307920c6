import { createHash } from 'node:crypto';
import type { EntryHeader } from './archive.js';
import { ArchiveDamage } from '../base/damage.js';

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

/** Cuts a stream of chunks into blocks of exactly `blockBytes` (the last one shorter), each in a buffer of its own. */
export async function* inBlocks(chunks: AsyncIterable<Buffer>, blockBytes: number): AsyncGenerator<Buffer> {
  let block = Buffer.alloc(0);
  let filled = 0;
  for await (const chunk of chunks) {
    let taken = 0;
    if (filled === 0 && chunk.length === blockBytes && chunk.buffer.byteLength === blockBytes) {
      // A block already, in memory of its own: nothing to copy.
      yield chunk;
      continue;
    }
    while (taken < chunk.length) {
      if (filled === 0) block = Buffer.allocUnsafeSlow(blockBytes);
      const piece = Math.min(chunk.length - taken, blockBytes - filled);
      chunk.copy(block, filled, taken, taken + piece);
      taken += piece;
      filled += piece;
      if (filled === blockBytes) {
        yield block;
        filled = 0;
      }
    }
  }
  if (filled > 0) yield Buffer.from(Uint8Array.prototype.slice.call(block, 0, filled).buffer);
}
