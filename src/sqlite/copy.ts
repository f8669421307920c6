import { open, stat } from 'node:fs/promises';
import { BkpError, ioError, systemCode } from '../base/errors.js';
import { sqliteFault } from './fault.js';
import type { Pinned } from './member.js';

/** Bytes between two looks at the channel: large, since each step has a price, yet progress is seen. */
const stepBytes = 8 * 1024 * 1024;

/** Steps in a row that may bring nothing before the copy counts as stuck; a pinned source is never busy. */
const maxIdleSteps = 100;

/**
 * Copies a pinned database with the online backup API to a path where nothing lies yet; `syncCopy` is to follow. It counts only if it
 * holds every page: `backup()` resolves with 0 pages on a locked source. `advance` is told bytes. Damage and read errors of
 * the source are thrown as SQLite's own errors; a destination that cannot be written as `BkpError`. Resolves with the size.
 */
export async function copyPinned(
  pinned: Pinned,
  destination: string,
  advance: (bytes: number) => void,
): Promise<number> {
  // better-sqlite3 would trim the name.
  if (destination.trim() !== destination) throw new Error(`a destination may not end in a space: ${destination}`);
  await createEmpty(destination);
  const { pageSize, pageCount } = pinned;
  // An empty database has no page to copy: it stays the empty file.
  const copied = pageCount === 0 ? 0 : await backUp(pinned, destination, advance);
  const bytes = await sizeOf(destination);
  if (copied !== pageCount || bytes !== pageCount * pageSize) {
    throw new BkpError(
      'io-failed',
      `the copy ${destination} is incomplete: ${copied} pages, ${bytes} bytes; expected ${pageCount} pages of ${pageSize} bytes`,
      { path: destination },
    );
  }
  for (const suffix of ['-wal', '-shm', '-journal']) await refuseSidecar(`${destination}${suffix}`);
  return bytes;
}

async function backUp(pinned: Pinned, destination: string, advance: (bytes: number) => void): Promise<number> {
  const { connection, pageSize, pageCount } = pinned;
  let remaining = pageCount;
  let idle = 0;
  const moveTo = (now: number): void => {
    idle = now < remaining ? 0 : idle + 1;
    if (idle > maxIdleSteps) throw new BkpError('io-failed', `copying to ${destination} does not advance`);
    if (now < remaining) advance((remaining - now) * pageSize);
    remaining = now;
  };
  try {
    const { totalPages } = await connection.db.backup(destination, {
      progress({ remainingPages }) {
        moveTo(remainingPages);
        return Math.max(1, Math.floor(stepBytes / pageSize));
      },
    });
    moveTo(0);
    return totalPages;
  } catch (error) {
    const fault = sqliteFault(error);
    // The source is open already: what is full or cannot be opened is the copy.
    if (fault === 'full' || fault === 'no-access') throw ioError('copying a database to', destination, error);
    throw error;
  }
}

/** Create-exclusive, and readable by nobody else from its first byte on. */
async function createEmpty(destination: string): Promise<void> {
  try {
    await (await open(destination, 'wx', 0o600)).close();
  } catch (error) {
    throw ioError('creating', destination, error);
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw ioError('looking at', path, error);
  }
}

/** A device that could not take what was written to it says so here, and only here. */
export async function syncCopy(path: string): Promise<void> {
  try {
    const file = await open(path, 'r+');
    await file.sync().finally(() => file.close());
  } catch (error) {
    throw ioError('syncing', path, error);
  }
}

async function refuseSidecar(path: string): Promise<void> {
  try {
    await stat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw ioError('looking at', path, error);
  }
  throw new BkpError('io-failed', `SQLite left ${path} beside the copy, which is therefore not whole`, { path });
}
