import { statfsSync } from 'node:fs';
import { fail, ok, warn, type Check, type Outcome, type Subject } from './check.js';
import { placeOfStorage } from './storage-place.js';

const MiB = 1024 ** 2;
const size = (bytes: number): string => `${Math.ceil(bytes / MiB)} MiB`;

/** For the copies of the databases, which lie in the storage for a while, and for an archive that compresses nothing. */
export const freeSpace: Check<Subject> = {
  id: 'free-space',
  run: ({ storage: { folder, location }, scan }) => {
    if (folder === undefined) return [];
    const { bavail, bsize, files, ffree } = statfsSync(placeOfStorage(folder).path);
    if (files > 0 && ffree === 0) return [fail(`${location} has no inode left for a new file`, mend, location)];
    return [judgeSpace(bavail * bsize, scan, location)];
  },
};

const mend = 'Free some space there, or choose another `storage`.';

export function judgeSpace(
  free: number,
  { bytes, databaseBytes }: { readonly bytes: number; readonly databaseBytes: number },
  location: string,
): Outcome {
  const about = `${size(free)} free for ${size(bytes)} of data`;
  if (free < databaseBytes) {
    return fail(`${about}: not even the databases (${size(databaseBytes)}) can be copied`, mend, location);
  }
  if (free < bytes + databaseBytes) return warn(`${about}: enough only if it compresses well`, mend, location);
  return ok(about, location);
}
