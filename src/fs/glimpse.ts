import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { PromptDisk } from './prompt-disk.js';

/** An open file whose bytes are there at once. */
export interface Glimpse {
  readonly size: number;
  /**
   * Exactly `length` bytes from `position`, for as long as the file is looked into: their memory is used again. Throws where
   * the file ends before, or cannot be read.
   */
  readonly read: (position: number, length: number) => Buffer;
}

/** Of one look, which waits for nothing: there is never a second one meanwhile. */
const memory = Buffer.allocUnsafeSlow(32 * 1024);

/** What `look` finds in a file; undefined where that is no regular file or cannot be opened. */
export function glance<T>(path: string, disk: PromptDisk, look: (file: Glimpse) => T | undefined): T | undefined {
  const fd = openedOrNot(path, disk);
  if (fd === undefined) return undefined;
  try {
    const stat = disk.ask(() => fstatSync(fd));
    if (!stat.isFile()) return undefined;
    let used = 0;
    const read = (position: number, length: number): Buffer => {
      const bytes = used + length > memory.length ? Buffer.allocUnsafe(length) : memory.subarray(used, used + length);
      used += length;
      if (disk.ask(() => readSync(fd, bytes, 0, length, position)) !== length)
        throw new RangeError('the file ends before');
      return bytes;
    };
    return look({ size: stat.size, read });
  } finally {
    closeSync(fd);
  }
}

function openedOrNot(path: string, disk: PromptDisk): number | undefined {
  try {
    // A named pipe must not block; that it is one is seen once it is open.
    return disk.ask(() => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  } catch {
    return undefined;
  }
}
