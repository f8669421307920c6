import type { FileStat } from '../fs/file-stat.js';

type Times = Pick<FileStat, 'mtime' | 'ctime'>;
type Seen = Pick<FileStat, 'size' | 'ino'> & Times;

/**
 * Milliseconds that a file must have been left alone before a backup begins, for the next one to go by its times. A clock's
 * tick is shorter, a file system's may be two seconds; and what a program writes through mapped memory can reach a file up to
 * half a minute after its times were set (Linux: `vm.dirty_expire_centisecs`, and five seconds until that is looked at).
 */
export const settlingTime = 60_000;

/** Whether a change after the backup would show in the file's times. `begun`: of the backup; milliseconds since 1970. */
export function isSettled({ mtime, ctime }: Times, begun: number): boolean {
  const latest = BigInt(Math.floor(begun - settlingTime)) * 1_000_000n;
  return mtime < latest && ctime < latest;
}

/**
 * Whether it is the file that was seen, unchanged since: the time of change is set by the kernel with every write, rename or
 * setting of another time, and cannot be set back.
 */
export function isUnchanged(seen: Seen, now: Seen): boolean {
  return seen.size === now.size && seen.mtime === now.mtime && seen.ctime === now.ctime && seen.ino === now.ino;
}
