import { interrupted, nowhere, openKeyboard, reasonOf } from './keyboard.js';
import { cutTo } from './table.js';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A key as readline names it (`up`, `return`, `space`), and the text it stands for. */
export interface TypedKey {
  readonly name: string | undefined;
  readonly text: string;
}

/** What a key leads to. */
export type Step<State, Answer> =
  { readonly kind: 'go-on'; readonly state: State } | { readonly kind: 'done'; readonly answer: Answer };

/** A question that takes the whole terminal until it is answered. Both functions are pure. */
export interface KeyScreen<State, Answer> {
  readonly start: State;
  /** Lines from the top; what is too wide or too many is cut off. */
  draw(state: State, size: Size): readonly string[];
  press(state: State, key: TypedKey, size: Size): Step<State, Answer>;
  /** The line that is left of it. */
  tell(answer: Answer): string;
}

const [enterScreen, leaveScreen] = ['\x1b[?1049h\x1b[?25l', '\x1b[?25h\x1b[?1049l'];
const [home, clearLine, clearBelow] = ['\x1b[H', '\x1b[K', '\x1b[J'];

/**
 * Asks on standard error, on a screen of its own: what the terminal showed before is there again afterwards. Drawn again
 * when its size changes. Rejects with `interrupted` on Ctrl-C, Ctrl-D and Esc, and with the signal's reason.
 */
export function askOnScreen<State, Answer>(screen: KeyScreen<State, Answer>, signal: AbortSignal): Promise<Answer> {
  const { stdin, stderr } = process;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(reasonOf(signal));
    let { start: state } = screen;
    const size = (): Size => ({ columns: stderr.columns || 80, rows: stderr.rows || 24 });
    const draw = (): void => {
      const { columns, rows } = size();
      const lines = screen.draw(state, { columns, rows }).slice(0, rows);
      // The last column stays free: some terminals wrap when it is written to.
      const cut = lines.map((line) => `${cutTo(line, columns - 1)}${clearLine}`);
      stderr.write(`${home}${cut.join('\r\n')}${clearBelow}`);
    };
    const end = (left: string, decide: () => void): void => {
      keyboard.close();
      stdin.off('keypress', onKey);
      stderr.off('resize', draw);
      stderr.write(`${leaveScreen}${left}`, decide);
    };
    const onKey = (text: string | undefined, { name }: { readonly name?: string }): void => {
      if (name === 'escape') return;
      const step = screen.press(state, { name, text: text ?? '' }, size());
      if (step.kind === 'done') return end(`${screen.tell(step.answer)}\n`, () => resolve(step.answer));
      state = step.state;
      draw();
    };
    const leave = (reason: Error): void => end('', () => reject(reason));
    stderr.write(enterScreen);
    const inputEnded = (): void => leave(interrupted('end of input'));
    const keyboard = openKeyboard(nowhere(), signal, { leave, inputEnded });
    // Stopped, it would leave this screen to the shell.
    keyboard.lines.on('SIGTSTP', () => undefined);
    stdin.on('keypress', onKey);
    stderr.on('resize', draw);
    draw();
  });
}
