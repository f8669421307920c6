import { createInterface } from 'node:readline';
import { BkpError } from '../base/errors.js';

/** Whether somebody sits there who reads standard error and types. */
export const isTerminal = (): boolean => process.stdin.isTTY && process.stderr.isTTY;

/**
 * Asks on standard error for one line; without blanks around it. Undefined where the input ends (Ctrl-D). Rejects with
 * `interrupted` on Ctrl-C, which the terminal hands over as a key while a line is edited, and with the signal's reason.
 */
export function askLine(question: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(reasonOf(signal));
    const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: true, historySize: 0 });
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
    lines.question(question, (answer) => end(() => resolve(answer.trim())));
  });
}

const interrupted = (): BkpError =>
  new BkpError('interrupted', 'interrupted (Ctrl-C)', { hint: 'Nothing was changed.' });

const reasonOf = ({ reason }: AbortSignal): Error => (reason instanceof Error ? reason : new Error(String(reason)));
