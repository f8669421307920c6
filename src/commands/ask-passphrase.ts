import { BkpError } from '../base/errors.js';
import { Passphrase, type PassphraseQuestion } from '../base/passphrase.js';
import { newPassphraseFault, passphraseFault } from '../config/passphrase-rules.js';
import { ownBytes } from '../config/passphrase-source.js';
import { shownName } from '../ui/display.js';
import { askSecret } from '../ui/prompts.js';

/** How often somebody may type what cannot be one. */
const attempts = 3;

/**
 * Of an archive that is there; whoever asks tries it, and asks again. Rejects with `passphrase-missing`, `interrupted`, or
 * the signal's reason.
 */
export async function askPassphrase(
  { file, hint, wrong }: PassphraseQuestion,
  signal: AbortSignal,
): Promise<Passphrase> {
  const where = hint === undefined ? '' : ` (its hint: ${shownName(hint)})`;
  let told = wrong === undefined ? '' : 'It does not open with that.\n';
  for (let attempt = 1; ; attempt += 1) {
    const typed = await type(`${told}Passphrase of ${shownName(file)}${where}: `, signal);
    const fault = passphraseFault(typed.bytes);
    if (fault === undefined) return typed;
    const error = refused(typed, fault);
    if (attempt === attempts) throw error;
    told = `What was typed ${fault}.\n`;
  }
}

/** Of one that is to be made: twice the same. Rejects in the same ways. */
export async function askNewPassphrase(signal: AbortSignal): Promise<Passphrase> {
  let told = '';
  for (let attempt = 1; ; attempt += 1) {
    const typed = await type(`${told}Passphrase for the new archive (it is not shown): `, signal);
    const fault = passphraseFault(typed.bytes) ?? newPassphraseFault(typed.bytes) ?? (await differs(typed, signal));
    if (fault === undefined) return typed;
    const error = refused(typed, fault);
    if (attempt === attempts) throw error;
    told = `What was typed ${fault}.\n`;
  }
}

async function differs(first: Passphrase, signal: AbortSignal): Promise<string | undefined> {
  try {
    const typed = await type('The same once more: ', signal);
    const isSame = typed.bytes.equals(first.bytes);
    typed.forget();
    return isSame ? undefined : 'is not the same as before';
  } catch (error) {
    first.forget();
    throw error;
  }
}

async function type(question: string, signal: AbortSignal): Promise<Passphrase> {
  const text = await askSecret(question, signal);
  if (text !== undefined) return new Passphrase(ownBytes(text));
  throw new BkpError('passphrase-missing', 'no passphrase was typed', { hint: 'Nothing was done: try again.' });
}

function refused(typed: Passphrase, fault: string): BkpError {
  typed.forget();
  return new BkpError('passphrase-missing', `what was typed ${fault}`, { hint: 'Nothing was done: try again.' });
}
