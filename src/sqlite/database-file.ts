import { open, realpath, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText, systemCode } from '../base/errors.js';
import { hasSqliteHeader, headerBytes, headerMode, type HeaderJournalMode } from './header.js';
import { fileId, type FileId, type HeldFiles } from './held-files.js';
import { sidecarFault } from './super-journal.js';

/** What the first look at a database's path found, before SQLite touches it. */
export type DatabaseFile =
  | {
      readonly kind: 'database';
      /** Without symbolic links. */
      readonly path: string;
      readonly id: FileId;
      /** Bytes of the file alone, without its `-wal`. */
      readonly size: number;
      /** As the header said then; undefined for an empty file, which is a valid empty database. */
      readonly journalMode: HeaderJournalMode | undefined;
      /** Of the databases that a super-journal beside it may be of. */
      readonly names: ReadonlySet<string>;
    }
  /**
   * A regular file that does not begin as a database does, or has sidecars that SQLite must not see. SQLite never opens it: that
   * could consume its sidecars.
   */
  | { readonly kind: 'noise'; readonly path: string; readonly id: FileId; readonly reason: string }
  | { readonly kind: 'missing'; readonly reason: string }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** A transaction over several databases names its super-journal for milliseconds; a crashed one for good. */
const looks = 4;
const betweenLooks = 50;

/**
 * Resolves links, reads the header, and looks at what SQLite would find beside the file. No connection to it may be open in
 * this process. `names`: see `databaseNames`.
 */
export async function inspectDatabase(
  given: string,
  held: HeldFiles,
  names: ReadonlySet<string>,
): Promise<DatabaseFile> {
  try {
    const path = await realpath(given);
    const stats = await stat(path, { bigint: true });
    if (stats.isDirectory()) return { kind: 'unreadable', reason: `${given} is a directory, not a database` };
    if (!stats.isFile()) return { kind: 'unreadable', reason: `${given} is not a regular file` };
    const id = fileId(stats);
    held.assertFree(id, path);
    const header = await readHeader(path);
    const size = Number(stats.size);
    if (header.length > 0 && !hasSqliteHeader(header)) {
      return {
        kind: 'noise',
        path,
        id,
        reason: `${given} does not begin as a SQLite database (damaged, or encrypted)`,
      };
    }
    const fault = await lastingFault(path, names);
    if (fault !== undefined) return { kind: 'noise', path, id, reason: fault };
    return { kind: 'database', path, id, size, journalMode: headerMode(header), names };
  } catch (error) {
    return inaccessible(given, error);
  }
}

/** A path that a system call could not reach; anything but a system error is thrown on. */
export function inaccessible(
  given: string,
  error: unknown,
): DatabaseFile & { readonly kind: 'missing' | 'unreadable' } {
  const code = systemCode(error);
  if (code === undefined) throw error;
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing', reason: `${given} does not exist` };
  return { kind: 'unreadable', reason: `${given} cannot be read: ${errorText(error)}` };
}

async function lastingFault(path: string, names: ReadonlySet<string>): Promise<string | undefined> {
  for (let look = 1; ; look++) {
    const fault = sidecarFault(path, names);
    if (fault === undefined || look === looks) return fault;
    await sleep(betweenLooks);
  }
}

async function readHeader(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const header = Buffer.alloc(headerBytes);
    const { bytesRead } = await file.read(header, 0, header.length, 0);
    return header.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
