import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync, realpathSync } from 'node:fs';
import { systemCode } from '../base/errors.js';
import { blockSize } from '../base/limits.js';
import { ownMemory } from '../base/own-memory.js';
import { fileStat, hasChanged, isSameFile, type FileIdentity, type FileStat } from './file-stat.js';
import { reasonOf } from './reason.js';
import { StableFile } from './stable-file.js';

export type NotRead = { readonly kind: 'vanished' } | { readonly kind: 'unreadable'; readonly reason: string };

export type SmallRead =
  /** `bytes` has `stat.size` bytes; where `changed`, they may never have been its content. */
  | { readonly kind: 'read'; readonly bytes: Buffer; readonly stat: FileStat; readonly changed: boolean }
  /** By now above `maxBytes`: to be read with `openStable`. */
  | { readonly kind: 'large' }
  | NotRead;

export interface SmallReadOptions {
  readonly maxBytes?: number;
  /** Where the content goes: memory of its own, unless it is said. */
  readonly room?: (bytes: number) => Buffer;
}

/**
 * Reads a file that others may write at the same time, as it was when opened: exactly the size it had. `expected` is the
 * file that was listed under this path; another one is only taken where it provably lies at `absolute` (a real path),
 * with no link on the way. Reading once more is the caller's business.
 */
export function readSmall(
  absolute: string,
  expected?: FileIdentity,
  { maxBytes = blockSize, room = ownMemory }: SmallReadOptions = {},
): SmallRead {
  const opened = openRegular(absolute, expected);
  if (opened.kind !== 'open') return opened;
  const { fd, stat } = opened;
  try {
    if (stat.size > maxBytes) return { kind: 'large' };
    // One byte more than there is shows whether the file became longer.
    const space = room(stat.size + 1);
    const seen = readFully(fd, space);
    const changed = seen !== stat.size || hasChanged(stat, fd);
    const bytes = space.subarray(0, Math.min(seen, stat.size));
    return { kind: 'read', bytes, stat: { ...stat, size: bytes.length }, changed };
  } catch (error) {
    return { kind: 'unreadable', reason: reasonOf(error) };
  } finally {
    closeSync(fd);
  }
}

export type StableOpened = { readonly kind: 'open'; readonly file: StableFile } | NotRead;

/** The same for a large file, block by block. The caller closes what it gets. */
export function openStable(absolute: string, expected?: FileIdentity): StableOpened {
  const opened = openRegular(absolute, expected);
  if (opened.kind !== 'open') return opened;
  return { kind: 'open', file: new StableFile(opened.fd, absolute, opened.stat) };
}

type Opened = { readonly kind: 'open'; readonly fd: number; readonly stat: FileStat } | NotRead;

/** A named pipe in its place must not block, a device not be touched longer than it takes to see what it is. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const goneCodes = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO']);

function openRegular(absolute: string, expected: FileIdentity | undefined): Opened {
  let fd: number | undefined;
  try {
    fd = openSync(absolute, openFlags);
    const found = fstatSync(fd, { bigint: true });
    if (found.isFile() && (expected === undefined || isSameFile(found, expected) || liesAt(absolute, fd))) {
      return { kind: 'open', fd, stat: fileStat(found) };
    }
    closeSync(fd);
    return { kind: 'vanished' };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    if (goneCodes.has(systemCode(error) ?? '')) return { kind: 'vanished' };
    return { kind: 'unreadable', reason: reasonOf(error) };
  }
}

/** Whether the opened file was found at this path without any link on the way: written anew and renamed over the old one. */
function liesAt(absolute: string, fd: number): boolean {
  return (descriptorPath(fd) ?? realpathSync.native(absolute)) === absolute;
}

/** Where the kernel says it lies; undefined where there is no `/proc`. */
function descriptorPath(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function readFully(fd: number, into: Buffer): number {
  let done = 0;
  while (done < into.length) {
    const bytes = readSync(fd, into, done, into.length - done, done);
    if (bytes === 0) break;
    done += bytes;
  }
  return done;
}
