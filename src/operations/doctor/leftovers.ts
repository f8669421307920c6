import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../base/errors.js';
import { restoreFolder } from '../own-folders.js';
import { isUnfinished } from '../unfinished-restore.js';
import { ok, warn, type Check, type Outcome, type Subject } from './check.js';

/** What runs that were killed left behind, and what a restore put aside. */
export const leftovers: Check<Subject> = {
  id: 'leftovers',
  run: ({ storage, root }) => {
    const folders = [...(storage.folder === undefined ? [] : [storage.folder]), join(root, '.bkp-staging')];
    const found = [...folders.flatMap(ofRuns), ...ofRestores(root)];
    return found.length > 0 ? found : [ok('nothing was left behind by earlier runs')];
  },
};

const leftoverName = /^\..+\.(?:partial|staging)$/;

function ofRuns(folder: string): readonly Outcome[] {
  const names = namesIn(folder).filter((name) => leftoverName.test(name));
  const [first] = names;
  if (first === undefined) return [];
  const more = names.length === 1 ? '' : ` and ${names.length - 1} more`;
  return [
    warn(
      `${join(folder, first)}${more}: left by a run that was killed, or of one that is at work`,
      'The next backup removes what is left of runs that are dead.',
      join(folder, first),
    ),
  ];
}

function ofRestores(root: string): readonly Outcome[] {
  const folder = join(root, restoreFolder);
  if (namesIn(folder).length === 0 || isUnfinished(root)) return [];
  return [
    warn(
      `${folder} holds what a restore put aside, or one that is at work`,
      'If none is running: look at what it is, and remove it when you do not need it any more.',
      folder,
    ),
  ];
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}
