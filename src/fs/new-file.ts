import { constants, openSync, writeSync } from 'node:fs';

/** Opens a file that is not there yet, for its owner alone until its metadata is set, and never through a link at its end. */
export function openNewFile(path: string): number {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;
  return openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
}

export function writeFully(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
}
