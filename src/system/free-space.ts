import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../base/errors.js';

/**
 * Bytes that this user may still write where a path lies, or will lie; undefined where that cannot be told (some network and
 * FUSE file systems). Looks only.
 */
export function freeSpace(path: string): number | undefined {
  const found = nearest(path, (there) => statfsSync(there));
  return found === undefined || found.blocks === 0 ? undefined : found.bavail * found.bsize;
}

/**
 * Which of these paths lie on the same device as `folder`, and are lost together with it; what does not exist does not count.
 * Two file systems of one disk are two devices.
 */
export function sharingDevice(folder: string, paths: readonly string[]): readonly string[] {
  const device = nearest(folder, deviceOf);
  if (device === undefined) return [];
  return paths.filter((path) => {
    try {
      return deviceOf(path) === device;
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      return false;
    }
  });
}

const deviceOf = (path: string): bigint => statSync(path, { bigint: true }).dev;

/** Of a path, or of the nearest folder above it that is there; undefined where none of them may be asked. */
function nearest<T>(path: string, look: (path: string) => T): T | undefined {
  for (let at = path; ; at = dirname(at)) {
    try {
      return look(at);
    } catch (error) {
      const code = systemCode(error);
      if (code === undefined) throw error;
      if ((code !== 'ENOENT' && code !== 'ENOTDIR') || at === dirname(at)) return undefined;
    }
  }
}
