import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import { fileStat, isSameFile, type FileStat } from './file-stat.js';

/**
 * An open folder. What is named through it lies in that very folder, even when somebody renames it or puts a link in its
 * place meanwhile. Node.js has no `openat`; Linux gives the same through `/proc/self/fd`. Elsewhere names go by path.
 */
export class FolderHandle {
  readonly stat: FileStat;
  readonly fd: number;
  /** The folder itself, as a path. */
  readonly base: string;

  /** Opens the folder, not following a link at its end. Throws system errors (`ENOTDIR` and `ELOOP` where it is none). */
  constructor(path: string | Buffer) {
    this.fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    this.stat = fileStat(fstatSync(this.fd, { bigint: true }));
    this.base = hasDescriptorPaths(this.fd, this.stat) ? `/proc/self/fd/${this.fd}` : path.toString();
  }

  /** A path to what has this name in the folder; `name` may have several segments. */
  at(name: string): string {
    return `${this.base}/${name}`;
  }

  /** The same for a name that may not be UTF-8. */
  atBytes(name: Buffer): Buffer {
    return Buffer.concat([Buffer.from(`${this.base}/`), name]);
  }

  close(): void {
    closeSync(this.fd);
  }
}

let descriptorPaths: boolean | undefined;

function hasDescriptorPaths(fd: number, stat: FileStat): boolean {
  descriptorPaths ??= probeDescriptorPath(fd, stat);
  return descriptorPaths;
}

function probeDescriptorPath(fd: number, stat: FileStat): boolean {
  if (process.platform !== 'linux') return false;
  const seen = statSync(`/proc/self/fd/${fd}`, { bigint: true, throwIfNoEntry: false });
  return seen !== undefined && isSameFile(fileStat(seen), stat);
}
