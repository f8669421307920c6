import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** How a database says in its header that it is written. */
export type HeaderJournalMode = 'wal' | 'delete';

/** "The Database Header", https://www.sqlite.org/fileformat2.html#the_database_header. */
const magic = Buffer.from('SQLite format 3\0', 'latin1');
const readVersionAt = 19;
const walVersion = 2;

/** Bytes that `headerMode` looks at. */
export const headerBytes = readVersionAt + 1;

export const hasSqliteHeader = (bytes: Uint8Array): boolean => magic.equals(bytes.subarray(0, magic.length));

/** The journal mode that the first bytes of a file tell; undefined where they are not those of a database. */
export function headerMode(bytes: Uint8Array): HeaderJournalMode | undefined {
  if (!hasSqliteHeader(bytes)) return undefined;
  return bytes[readVersionAt] === walVersion ? 'wal' : 'delete';
}

/** A link is not followed, a named pipe not waited for. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * The same for a regular file at a path; undefined for anything else. Only for a process that has no database open: closing
 * the file drops all locks the process holds on it. Throws system errors.
 */
export function readHeaderMode(path: string): HeaderJournalMode | undefined {
  const fd = openSync(path, openFlags);
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    const bytes = Buffer.alloc(headerBytes);
    return headerMode(bytes.subarray(0, readSync(fd, bytes, 0, headerBytes, 0)));
  } finally {
    closeSync(fd);
  }
}
