import { BkpError } from '../base/errors.js';
import { isUnfinished } from '../operations/unfinished-restore.js';
import { remarkView } from '../ui/remark-view.js';
import type { Place } from './instance.js';
import type { CommandDeps } from './job.js';

/** For commands that only look: says that the instance is between two states, and goes on. */
export function warnUnfinished({ config }: Pick<Place, 'config'>, deps: CommandDeps): void {
  if (config === undefined) return;
  const text = unfinishedText(config.root);
  if (text !== undefined) deps.output.render(remarkView('restore-unfinished', text));
}

function unfinishedText(root: string): string | undefined {
  try {
    if (!isUnfinished(root)) return undefined;
    return `a restore of ${root} is not finished: if none is running, \`bkp restore --recover\` finishes or undoes it`;
  } catch (error) {
    // A journal that cannot be looked at keeps nobody from listing backups.
    if (error instanceof BkpError) return `whether a restore of ${root} is unfinished is not known: ${error.message}`;
    throw error;
  }
}
