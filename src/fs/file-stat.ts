import { fstatSync, lstatSync, type BigIntStats, type Stats } from 'node:fs';
import { systemCode } from '../base/errors.js';

/** What a backup needs to know of a file, a folder or a link, exactly as the file system gave it. */
export interface FileStat {
  /** Bytes. */
  readonly size: number;
  /** Permission bits with set-id and sticky (0 to 0o7777), without the type. */
  readonly mode: number;
  /** Nanoseconds since 1970, UTC; may be negative. */
  readonly mtime: bigint;
  readonly ctime: bigint;
  readonly uid: number;
  readonly gid: number;
  /** Both beyond what a double counts exactly on some file systems (overlayfs, CephFS). */
  readonly dev: bigint;
  readonly ino: bigint;
}

/** Which file it is, whatever its name. */
export type FileIdentity = Pick<FileStat, 'dev' | 'ino'>;

export function fileStat(stat: BigIntStats): FileStat {
  return {
    size: Number(stat.size),
    mode: Number(stat.mode & 0o7777n),
    mtime: stat.mtimeNs,
    ctime: stat.ctimeNs,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    dev: stat.dev,
    ino: stat.ino,
  };
}

export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

/** Whether an open file is other than it was: size, time of writing or (where that was set back) time of change. */
export function hasChanged(before: FileStat, fd: number): boolean {
  const after = fileStat(fstatSync(fd, { bigint: true }));
  return after.size !== before.size || after.mtime !== before.mtime || after.ctime !== before.ctime;
}

/**
 * What lies at a path; undefined where nothing does, also where a folder on the way is something else by now (for which
 * Node.js 20 throws whatever `throwIfNoEntry` says).
 */
export function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** The same; `denied` where that may not be known. */
export function lookIfAllowed(path: string): Stats | 'denied' | undefined {
  try {
    return lookAt(path);
  } catch (error) {
    if (systemCode(error) === 'EACCES') return 'denied';
    throw error;
  }
}
