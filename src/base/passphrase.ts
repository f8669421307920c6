import { inspect } from 'node:util';

const redacted = '[passphrase]';

/**
 * A passphrase in memory that can be wiped, which a string cannot. Whatever shows it (templates, JSON, `inspect`, an error's
 * text) shows a placeholder.
 */
export class Passphrase {
  readonly #bytes: Buffer;
  #forgotten = false;

  /** `bytes`: UTF-8; taken over, and wiped by `forget`. */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** For deriving keys only; throws once it is forgotten. */
  get bytes(): Buffer {
    if (this.#forgotten) throw new Error('the passphrase was forgotten already');
    return this.#bytes;
  }

  /** Wipes it from memory. May be called again. */
  forget(): void {
    this.#forgotten = true;
    this.#bytes.fill(0);
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}

/** What a passphrase is asked for, for the prompt. */
export interface PassphraseQuestion {
  /** The archive, for people. */
  readonly file: string;
  /** What the archive says about where it is kept: by the archive's own word, never trusted. */
  readonly hint: string | undefined;
  /** What was given for it before, and does not open it. */
  readonly wrong?: Passphrase;
}

/**
 * Gets the passphrase of an encrypted archive; called only where one is needed. Rejects with `passphrase-missing` where there
 * is none and nobody to ask. What it gives is its giver's to forget. Gives the one that was wrong again where there is no
 * other.
 */
export type AskPassphrase = (question: PassphraseQuestion) => Promise<Passphrase>;
