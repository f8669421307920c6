import { BkpError } from '../base/errors.js';
import type { DeletePlan } from '../operations/delete-backups.js';
import { deleteQuestionView } from '../ui/delete-view.js';
import { askWord } from './ask-word.js';
import type { CommandDeps } from './job.js';
import { mayAsk } from './may-ask.js';

export interface DeleteConfirmation {
  /** `--confirm`. */
  readonly given: readonly string[] | undefined;
  readonly json: boolean;
  readonly noInput: boolean;
}

/** Resolves once it is said what is to be deleted; rejects with `confirmation-missing` otherwise. */
export async function confirmDelete(
  { backups, missing }: DeletePlan,
  { given, json, noInput }: DeleteConfirmation,
  { signal, output }: Pick<CommandDeps, 'signal' | 'output'>,
): Promise<void> {
  const ids = [...backups.map(({ id }) => id), ...missing];
  const asked = `Pass --confirm ${ids.join(',')}.`;
  if (given !== undefined) {
    if (given.toSorted().join() === ids.toSorted().join()) return;
    throw refused(`--confirm names ${given.join(', ')}, but ${ids.join(', ')} would be deleted`, asked);
  }
  if (!mayAsk(json, noInput)) throw refused(`deleting ${ids.join(', ')} was not confirmed`, asked);
  output.render(deleteQuestionView({ backups, missing }));
  const [only] = ids;
  const word = ids.length === 1 && only !== undefined ? only : `delete ${ids.length}`;
  const typed = await askWord(word, 'delete what is shown', signal);
  if (typed !== word)
    throw refused(typed === undefined || typed === '' ? 'it was not confirmed' : `${typed} is not ${word}`);
}

const refused = (message: string, hint = 'Type what is asked for, or pass --confirm.'): BkpError =>
  new BkpError('confirmation-missing', `${message}; nothing was deleted`, { hint });
