import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { BkpError } from '../base/errors.js';

/** Standard input as keys, one after the other. */
export interface Keyboard {
  /** Edits a line of what is typed, and shows it on the output. */
  readonly lines: Interface;
  /** Gives the terminal back as it was. */
  close(): void;
}

/** How reading comes to an end before anything else ends it. */
export interface KeyboardEnds {
  /** Ctrl-C, Esc, or the signal: with its reason. */
  readonly leave: (reason: Error) => void;
  /** Ctrl-D, or the input is gone. */
  readonly inputEnded: () => void;
}

/** Milliseconds after which an Esc is one, and not the beginning of what an arrow key sends. */
const escapeCodeTimeout = 100;

/** Reads keys until it is closed; whoever is told of an end closes it. */
export function openKeyboard(
  output: NodeJS.WritableStream,
  signal: AbortSignal,
  { leave, inputEnded }: KeyboardEnds,
): Keyboard {
  const { stdin } = process;
  const lines = createInterface({ input: stdin, output, terminal: true, historySize: 0, escapeCodeTimeout });
  const onAbort = (): void => leave(reasonOf(signal));
  const onKey = (_text: string | undefined, { name }: { readonly name?: string }): void => {
    if (name === 'escape') leave(interrupted('Esc'));
  };
  signal.addEventListener('abort', onAbort);
  stdin.on('keypress', onKey);
  lines.on('SIGINT', () => leave(interrupted('Ctrl-C')));
  lines.on('close', inputEnded);
  return {
    lines,
    close: () => {
      signal.removeEventListener('abort', onAbort);
      stdin.off('keypress', onKey);
      // Not the listeners of readline itself: without them it would go on to hear keys, and to show them.
      lines.off('close', inputEnded);
      lines.close();
    },
  };
}

/** Where nothing of what is typed is to be seen. */
export const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

export const reasonOf = ({ reason }: AbortSignal): Error =>
  reason instanceof Error ? reason : new Error(String(reason));

export const interrupted = (by: 'Ctrl-C' | 'Esc' | 'end of input'): BkpError =>
  new BkpError('interrupted', `interrupted (${by})`, { hint: 'Nothing was changed.' });
