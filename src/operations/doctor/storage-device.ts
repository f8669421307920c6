import { statSync } from 'node:fs';
import { ok, warn, type Check, type Subject } from './check.js';
import { placeOfStorage } from './storage-place.js';

export const storageDevice: Check<Subject> = {
  id: 'storage-device',
  run: ({ storage: { folder, location }, scan }) => {
    if (folder === undefined) return [];
    const { dev } = placeOfStorage(folder).stats;
    const together = scan.resolved.filter(({ real }) => statSync(real).dev === dev).map(({ source }) => source.name);
    if (together.length === 0) return [ok('archives lie on another file system than the data')];
    const which = together.length === scan.resolved.length ? 'the data' : together.join(', ');
    return [
      warn(
        `archives lie on the same file system as ${which}: whatever destroys that disk takes both`,
        'Choose a `storage` on another disk, or copy the archives elsewhere.',
        location,
      ),
    ];
  },
};
