import { BkpError } from '../base/errors.js';
import type { InPlacePlan } from '../operations/plan-in-place.js';
import { askWord } from './ask-word.js';

export interface Confirmation {
  readonly plan: Pick<InPlacePlan, 'id' | 'root'>;
  /** `--confirm`. */
  readonly given: string | undefined;
  readonly asks: boolean;
}

/** Resolves once it is said which backup is to replace what is there; rejects with `confirmation-missing` otherwise. */
export async function requireConfirmation({ plan, given, asks }: Confirmation, signal: AbortSignal): Promise<void> {
  const { id, root } = plan;
  if (given !== undefined) {
    if (given === id) return;
    throw refused(`--confirm names ${given}, but ${id} would be restored into ${root}`, `Pass --confirm ${id}.`);
  }
  if (!asks) {
    throw refused(
      `restoring ${id} replaces what is in ${root}, and that was not confirmed`,
      `Look at it with --dry-run, then pass --confirm ${id}.`,
    );
  }
  const typed = await askWord(id, 'replace what is there', signal);
  if (typed === id) return;
  throw refused(typed === undefined || typed === '' ? 'it was not confirmed' : `${typed} is not ${id}`);
}

const refused = (message: string, hint = 'Type the id as it is shown, or pass it with --confirm.'): BkpError =>
  new BkpError('confirmation-missing', `${message}; nothing was changed`, { hint });
