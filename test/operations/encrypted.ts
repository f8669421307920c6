import { testPassphrase } from '../helpers/aes-entry.js';
import { create, type CreateOptions, type Instance, type Using } from '../helpers/instance.js';
import { Passphrase, type AskPassphrase, type PassphraseQuestion } from '../../src/base/passphrase.js';
import type { CreateResult } from '../../src/operations/create-backup.js';
import type { BackupEncryption } from '../../src/operations/create-request.js';

export { testPassphrase };

/** What answers every question with this passphrase, and what it was asked. */
export function asker(text = testPassphrase): { readonly ask: AskPassphrase; readonly asked: PassphraseQuestion[] } {
  const asked: PassphraseQuestion[] = [];
  const ask = (question: PassphraseQuestion): Promise<Passphrase> => {
    asked.push(question);
    return Promise.resolve(new Passphrase(Buffer.from(text)));
  };
  return { ask, asked };
}

/** For requests: the passphrase that `createEncrypted` takes, or another one. */
export const withPassphrase = (text = testPassphrase): { readonly passphrase: AskPassphrase } => ({
  passphrase: asker(text).ask,
});

export const encryption = (text = testPassphrase, hint: string | undefined = 'in the safe'): BackupEncryption => ({
  passphrase: new Passphrase(Buffer.from(text)),
  hint,
});

export const createEncrypted = (
  from: Instance,
  options: CreateOptions = {},
  using: Using = {},
): Promise<CreateResult> => create(from, { encryption: encryption(), ...options }, using);
