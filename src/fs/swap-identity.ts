import type { BigIntStats } from 'node:fs';

/** What lies at a path, as a journal can keep it: numbers as decimal text, times in nanoseconds since 1970. */
export interface Identity {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly dev: string;
  readonly ino: string;
  readonly size: string;
  readonly mtime: string;
  /** Permission bits of a folder that its owner may not write to: it may have to be unsealed for a move. */
  readonly sealed?: number;
}

export function identityOf(stat: BigIntStats): Identity {
  return {
    kind: kindOf(stat),
    dev: String(stat.dev),
    ino: String(stat.ino),
    size: String(stat.size),
    mtime: String(stat.mtimeNs),
    ...(isSealed(stat) ? { sealed: Number(stat.mode & 0o7777n) } : {}),
  };
}

const ownerWrites = 0o200n;

const isSealed = (stat: BigIntStats): boolean => stat.isDirectory() && (stat.mode & ownerWrites) === 0n;

function kindOf(stat: BigIntStats): Identity['kind'] {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'folder';
  return stat.isSymbolicLink() ? 'link' : 'other';
}

/** Whether two things that were just looked at are one: the same file under two names. */
export function isOneFile(a: Identity, b: Identity): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

/**
 * Whether it is the thing the journal recorded, whatever was written into it since. Device numbers are not compared: some
 * file systems (Btrfs, overlayfs, NFS) get others at the next boot, and all paths of a step lie on one device.
 */
export function isThat(found: Identity | undefined, recorded: Identity | undefined): boolean {
  return found !== undefined && found.ino === recorded?.ino && found.kind === recorded.kind;
}

/** The same, and as it was recorded. Of a folder only which one it is: size and time change with what lies in it. */
export function isUnchanged(found: Identity | undefined, recorded: Identity | undefined): boolean {
  if (!isThat(found, recorded)) return false;
  return found?.kind === 'folder' || (found?.size === recorded?.size && found?.mtime === recorded?.mtime);
}
