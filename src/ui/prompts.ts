import { isatty } from 'node:tty';
import { nowhere, openKeyboard, reasonOf } from './keyboard.js';
import { widthOf } from './look.js';
import { proseLines } from './prose.js';

/** Whether somebody sits there who reads standard error and types. */
export const isTerminal = (): boolean => isatty(0) && isatty(2);

/**
 * Asks on standard error for one line; without blanks around it. Undefined where the input ends (Ctrl-D). Rejects with
 * `interrupted` on Ctrl-C, which the terminal hands over as a key while a line is edited, and on Esc; and with the
 * signal's reason.
 */
export async function askLine(question: string, signal: AbortSignal): Promise<string | undefined> {
  return (await ask(question, true, signal))?.trim();
}

/** The same for a secret: what is typed is not shown, and blanks around it belong to it. */
export function askSecret(question: string, signal: AbortSignal): Promise<string | undefined> {
  return ask(question, false, signal);
}

/** Broken between words as all that is told there; what is typed stays one blank behind it. */
function brokenQuestion(text: string): string {
  const look = { terminal: true, width: widthOf(process.stderr) };
  return `${proseLines(text.trimEnd(), look, { hang: 2 }).join('\n')} `;
}

function ask(text: string, echo: boolean, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(reasonOf(signal));
    const question = brokenQuestion(text);
    if (!echo) process.stderr.write(question);
    const end = (decide: () => void): void => {
      keyboard.close();
      decide();
    };
    // The cursor is behind the question.
    const leave = (reason: Error): void => end(() => process.stderr.write('\n', () => reject(reason)));
    const inputEnded = (): void => end(() => process.stderr.write('\n', () => resolve(undefined)));
    const keyboard = openKeyboard(echo ? process.stderr : nowhere(), signal, { leave, inputEnded });
    keyboard.lines.question(echo ? question : '', (answer) => {
      end(() => (echo ? resolve(answer) : process.stderr.write('\n', () => resolve(answer))));
    });
  });
}
