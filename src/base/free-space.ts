import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Bytes that this user may still write where a path lies, or will lie; undefined where that cannot be told (some network and
 * FUSE file systems). Looks only.
 */
export function freeSpace(path: string): number | undefined {
  const found = nearest(path, (there) => statfsSync(there));
  return found === undefined || found.blocks === 0 ? undefined : found.bavail * found.bsize;
}

/** Whether no further file can be made there, however much space is left. */
export function isOutOfInodes(path: string): boolean {
  const found = nearest(path, (there) => statfsSync(there));
  return found !== undefined && found.files > 0 && found.ffree === 0;
}

/** Of a path, or of the nearest folder above it that is there; undefined where none of them may be asked. */
export function nearest<T>(path: string, look: (path: string) => T): T | undefined {
  for (let at = path; ; at = dirname(at)) {
    try {
      return look(at);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      if ((error.code !== 'ENOENT' && error.code !== 'ENOTDIR') || at === dirname(at)) return undefined;
    }
  }
}
