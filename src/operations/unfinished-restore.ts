import { join } from 'node:path';
import { BkpError } from '../base/errors.js';
import { journalPhase } from '../fs/journal.js';
import { restoreFolder } from './own-folders.js';

/** Whether a restore in place of this root was begun and not ended. A cheap look; throws `journal-damaged`. */
export function isUnfinished(root: string): boolean {
  return journalPhase(join(root, restoreFolder)) !== undefined;
}

/** For everything that writes: until an interrupted restore is ended, the instance is neither old nor new. */
export function refuseUnfinished(root: string): void {
  if (!isUnfinished(root)) return;
  throw new BkpError('restore-unfinished', `a restore of ${root} was interrupted and is not finished`, {
    path: join(root, restoreFolder),
    hint: 'Run `bkp restore --recover`: it finishes or undoes that restore. Keep the application stopped until then.',
  });
}
