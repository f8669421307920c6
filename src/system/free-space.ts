import { statSync } from 'node:fs';
import { systemCode } from '../base/errors.js';
import { nearest } from '../base/free-space.js';

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
