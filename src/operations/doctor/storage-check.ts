import { accessSync, constants } from 'node:fs';
import { systemCode } from '../../base/errors.js';
import { reasonOf } from '../../fs/reason.js';
import { fail, ok, warn, type Check, type Outcome, type Subject } from './check.js';
import { placeOfStorage } from './storage-place.js';

const mend = 'Make it writable, or choose another with `storage` or BKP_STORAGE.';

/** Asks for rights only: what is never written to cannot tell of a disk that fails when it is. */
export const storage: Check<Subject> = {
  id: 'storage',
  run: ({ storage: { folder, location } }) => {
    if (folder === undefined) return [];
    try {
      const { path, stats, exists } = placeOfStorage(folder);
      if (!stats.isDirectory())
        return [fail(`${path} is not a folder`, 'Move it away, or choose another `storage`.', path)];
      accessSync(path, constants.W_OK | constants.X_OK | (exists ? constants.R_OK : 0));
      if (exists) return [byMode(location, stats.mode)];
      return [ok(`${location} is not there yet; the first backup makes it`, location)];
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      return [fail(`${location} cannot be written to: ${reasonOf(error)}`, mend, location)];
    }
  },
};

const othersWrite = 0o022;
const sticky = 0o1000;

function byMode(location: string, mode: number): Outcome {
  if ((mode & othersWrite) === 0 || (mode & sticky) !== 0) return ok(`${location} can be written to`, location);
  const octal = (mode & 0o7777).toString(8).padStart(4, '0');
  return warn(
    `${location} can be written to by others (mode ${octal}): they can remove archives`,
    'chmod go-w it.',
    location,
  );
}
