import { nowhere, openKeyboard, type Keyboard } from './keyboard.js';

/** While something goes on that asks nothing: Esc ends the run as Ctrl-C does. What else is typed is not shown. */
export class EscapeWatch {
  readonly #signal: AbortSignal;
  #keyboard: Keyboard | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  start(): void {
    if (this.#signal.aborted || this.#keyboard !== undefined) return;
    const leave = (): void => {
      this.stop();
      // As if the terminal had sent it: one way out for all that goes on.
      if (!this.#signal.aborted) process.kill(process.pid, 'SIGINT');
    };
    this.#keyboard = openKeyboard(nowhere(), this.#signal, { leave, inputEnded: () => this.stop() });
  }

  stop(): void {
    this.#keyboard?.close();
    this.#keyboard = undefined;
  }

  /** For a question: it takes the keys itself. */
  async paused<T>(ask: () => Promise<T>): Promise<T> {
    this.stop();
    const answer = await ask();
    this.start();
    return answer;
  }
}
