import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** `path`: a real one that is there. */
export function isMountPoint(path: string): boolean {
  return deviceOf(path) !== deviceOf(dirname(path));
}

/** What some file systems keep in their own root for their repair: it is no part of what users put there. */
export function filesOfFileSystem(folder: string): readonly string[] {
  return isMountPoint(folder) ? [join(folder, 'lost+found')] : [];
}

export const deviceOf = (path: string): bigint => lstatSync(path, { bigint: true }).dev;
