import { join } from 'node:path';
import { restoreFolder } from '../own-folders.js';
import { isUnfinished } from '../unfinished-restore.js';
import { fail, ok, type Check, type Subject } from './check.js';

export const unfinishedRestore: Check<Subject> = {
  id: 'unfinished-restore',
  run: ({ root }) => {
    if (!isUnfinished(root)) return [ok('no restore is unfinished')];
    return [
      fail(
        `a restore of ${root} is not finished: until it is, no backup is made`,
        'If none is running, `bkp restore --recover` finishes or undoes it.',
        join(root, restoreFolder),
      ),
    ];
  },
};
