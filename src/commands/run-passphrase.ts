import type { Cleanup } from '../base/cleanup.js';
import { BkpError } from '../base/errors.js';
import type { AskPassphrase, Passphrase, PassphraseQuestion } from '../base/passphrase.js';
import { readPassphrase } from '../config/passphrase.js';
import { isShortPassphrase, newPassphraseFault } from '../config/passphrase-rules.js';
import type { PassphraseSource } from '../config/passphrase-source.js';
import type { BackupEncryption } from '../operations/create-request.js';
import { remarkView } from '../ui/remark-view.js';
import { askNewPassphrase, askPassphrase } from './ask-passphrase.js';
import type { Place } from './instance.js';
import type { CommandDeps } from './job.js';
import { mayAsk } from './may-ask.js';
import { usageError } from './usage.js';

/** The passphrase of one run: looked for when it is first needed, then the same for every archive. */
export interface RunPassphrase {
  /** Of an archive that is there. */
  readonly ask: AskPassphrase;
  /** For an archive that is to be made: typed twice, and looked at. `hint`: where it is kept, readable to all. */
  forNew(hint: string | undefined): Promise<BackupEncryption>;
}

class OnePassphrase implements RunPassphrase {
  readonly #source: PassphraseSource | undefined;
  readonly #asks: boolean;
  readonly #deps: CommandDeps;
  #found: Promise<Passphrase> | undefined;

  constructor({ passphrase, noInput }: Pick<Place, 'passphrase' | 'noInput'>, json: boolean, deps: CommandDeps) {
    this.#source = passphrase;
    this.#asks = mayAsk(json, noInput);
    this.#deps = deps;
  }

  // Where nobody can be asked, every archive is told of with its own hint.
  readonly ask: AskPassphrase = async (question) => {
    if (this.#isMissing()) throw this.#missing(question);
    const { wrong } = question;
    // Only a person may know another one: a file or a command would say the same.
    if (wrong !== undefined && this.#source !== undefined) return wrong;
    if (wrong !== undefined) {
      this.#found = undefined;
      wrong.forget();
    }
    return (this.#found ??= this.#read((signal) => askPassphrase(question, signal)));
  };

  async forNew(hint: string | undefined): Promise<BackupEncryption> {
    if (this.#isMissing()) throw this.#missing();
    const passphrase = await (this.#found ??= this.#read(askNewPassphrase));
    const fault = newPassphraseFault(passphrase.bytes);
    if (fault !== undefined) throw missing(`the passphrase ${fault}`, 'Choose a shorter one.');
    if (hint !== undefined && Buffer.from(hint).includes(passphrase.bytes)) {
      throw usageError(
        'the hint holds the passphrase itself',
        'Everybody can read it: say where the passphrase is kept.',
      );
    }
    if (isShortPassphrase(passphrase.bytes)) {
      this.#warn('passphrase-short', 'the passphrase has fewer than 12 characters: it can be guessed');
    }
    return { passphrase, hint };
  }

  async forget(): Promise<void> {
    const found = await this.#found?.catch(() => undefined);
    found?.forget();
    if (this.#source?.kind === 'variable') this.#source.passphrase.forget();
  }

  async #read(ask: (signal: AbortSignal) => Promise<Passphrase>): Promise<Passphrase> {
    const { output, signal } = this.#deps;
    if (this.#source !== undefined) {
      const { passphrase, warning } = await readPassphrase(this.#source, signal);
      if (warning !== undefined) this.#warn('passphrase-exposed', warning);
      return passphrase;
    }
    output.progress.finish();
    return ask(signal);
  }

  #isMissing(): boolean {
    return this.#source === undefined && !this.#asks;
  }

  #missing(question?: PassphraseQuestion): BkpError {
    const told =
      question?.hint === undefined ? '' : `The hint of the archive says: ${question.hint.replace(/\s+/g, ' ')}\n`;
    const hint = `${told}${whatToPass(this.#deps.env)}`;
    return missing('there is no passphrase, and nobody to ask for one', hint, question?.file);
  }

  #warn(id: 'passphrase-short' | 'passphrase-exposed', message: string): void {
    this.#deps.output.render(remarkView(id, message));
  }
}

/** That of a run: wiped with its cleanup. */
export function runPassphrase(
  place: Pick<Place, 'passphrase' | 'noInput'>,
  json: boolean,
  deps: CommandDeps,
  cleanup: Cleanup,
): RunPassphrase {
  const passphrase = new OnePassphrase(place, json, deps);
  cleanup.defer(() => passphrase.forget());
  return passphrase;
}

const missing = (message: string, hint: string, path?: string): BkpError =>
  new BkpError('passphrase-missing', message, { hint, ...(path === undefined ? {} : { path }) });

function whatToPass(env: CommandDeps['env']): string {
  const empty = Object.keys(env).find((name) => name.startsWith('BKP_PASSPHRASE') && env[name] === '');
  const told = empty === undefined ? '' : `${empty} is set, but empty. `;
  return (
    `${told}Pass --passphrase-file <file>, or --passphrase-command <command>. The same as variables: BKP_PASSPHRASE_FILE, ` +
    'BKP_PASSPHRASE_COMMAND, BKP_PASSPHRASE_FD; for every run: encryption.passphraseFile or encryption.passphraseCommand ' +
    'in the configuration. On a terminal it is asked for.'
  );
}
