import { closeSync, constants, lstatSync, openSync, readSync, unlinkSync } from 'node:fs';
import { ioError, systemCode } from '../base/errors.js';
import { fileId, type FileId } from './held-files.js';

/** What SQLite puts beside a database, by the database's name. */
export const sidecarSuffixes = ['-wal', '-shm', '-journal'] as const;

export type SidecarSuffix = (typeof sidecarSuffixes)[number];

export interface Sidecar {
  readonly suffix: SidecarSuffix;
  readonly path: string;
  readonly id: FileId;
  readonly bytes: number;
  readonly isFile: boolean;
}

/** What lies beside a database now. Opens nothing. */
export function sidecarsOf(database: string): Sidecar[] {
  return sidecarSuffixes.flatMap((suffix) => {
    const path = `${database}${suffix}`;
    const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return [];
    return [{ suffix, path, id: fileId(stats), bytes: Number(stats.size), isFile: stats.isFile() }];
  });
}

/** The sidecars that may hold what the database does not. */
export function dataBeside(database: string): Sidecar[] {
  return sidecarsOf(database).filter(holdsData);
}

/** Whether a sidecar may hold what the database does not: `-shm` is an index that SQLite makes anew. */
function holdsData({ suffix, bytes, isFile }: Sidecar): boolean {
  return suffix !== '-shm' && (bytes > 0 || !isFile);
}

/**
 * Removes what lies beside a database that this process holds exclusively, as far as it holds nothing: an empty `-wal`, any
 * `-shm` (nobody can be using it), and a `-journal` that is empty or whose header was zeroed when it was done with (the first
 * byte decides, as in `hasHotJournal` of SQLite's pager.c). Returns what stays.
 */
export function removeSpentSidecars(database: string): Sidecar[] {
  return sidecarsOf(database).filter((sidecar) => {
    const spent = sidecar.isFile && (!holdsData(sidecar) || (sidecar.suffix === '-journal' && isZeroed(sidecar.path)));
    if (spent) removeIfThere(sidecar.path);
    return !spent;
  });
}

export function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw ioError('removing', path, error);
  }
}

function isZeroed(journal: string): boolean {
  const fd = openSync(journal, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const first = Buffer.alloc(1);
    return readSync(fd, first, 0, 1, 0) === 1 && first[0] === 0;
  } finally {
    closeSync(fd);
  }
}
