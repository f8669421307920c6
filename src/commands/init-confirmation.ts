import { BkpError } from '../base/errors.js';
import { shownName } from '../ui/display.js';
import { initPlanView, type InitPlan } from '../ui/init-view.js';
import { askLine } from '../ui/prompts.js';
import type { CommandDeps } from './job.js';
import { mayAsk } from './may-ask.js';

export interface InitConfirmation {
  /** `--yes`. */
  readonly given: boolean;
  readonly json: boolean;
  readonly noInput: boolean;
}

/** Shows what is to be written; resolves once that is wanted, rejects with `confirmation-missing` otherwise. */
export async function confirmInit(
  plan: InitPlan,
  { given, json, noInput }: InitConfirmation,
  { signal, output }: Pick<CommandDeps, 'signal' | 'output'>,
): Promise<void> {
  const asks = !given && mayAsk(json, noInput);
  output.render(initPlanView(plan, asks ? 'question' : 'report'));
  if (given) return;
  if (!asks) throw refused('writing it was not confirmed', 'Pass --yes to write it.');
  const typed = await askLine(`Write ${shownName(plan.file)}? [y/N] `, signal);
  if (!/^y(?:es)?$/i.test(typed ?? '')) throw refused('it was not confirmed', 'Type y, or pass --yes.');
}

const refused = (message: string, hint: string): BkpError =>
  new BkpError('confirmation-missing', `${message}; nothing was written`, { hint });
