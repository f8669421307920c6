import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { BkpError } from '../base/errors.js';

/** Whether somebody sits there who reads standard error and types. */
export const isTerminal = (): boolean => isatty(0) && isatty(2);

/**
 * Asks on standard error for one line; without blanks around it. Undefined where the input ends (Ctrl-D). Rejects with
 * `interrupted` on Ctrl-C, which the terminal hands over as a key while a line is edited, and with the signal's reason.
 */
export async function askLine(question: string, signal: AbortSignal): Promise<string | undefined> {
  return (await ask(question, true, signal))?.trim();
}

/** The same for a secret: what is typed is not shown, and blanks around it belong to it. */
export function askSecret(question: string, signal: AbortSignal): Promise<string | undefined> {
  return ask(question, false, signal);
}

function ask(question: string, echo: boolean, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(reasonOf(signal));
    if (!echo) process.stderr.write(question);
    const output = echo ? process.stderr : nowhere();
    const lines = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
    const end = (decide: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      lines.removeAllListeners('close');
      lines.close();
      decide();
    };
    const onAbort = (): void => leave(reasonOf(signal));
    // The cursor is behind the question.
    const leave = (reason: Error): void => end(() => process.stderr.write('\n', () => reject(reason)));
    signal.addEventListener('abort', onAbort);
    lines.on('SIGINT', () => leave(interrupted()));
    lines.on('close', () => end(() => process.stderr.write('\n', () => resolve(undefined))));
    lines.question(echo ? question : '', (answer) => {
      end(() => (echo ? resolve(answer) : process.stderr.write('\n', () => resolve(answer))));
    });
  });
}

/** Where the terminal would show what is typed. */
const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

const interrupted = (): BkpError =>
  new BkpError('interrupted', 'interrupted (Ctrl-C)', { hint: 'Nothing was changed.' });

const reasonOf = ({ reason }: AbortSignal): Error => (reason instanceof Error ? reason : new Error(String(reason)));
