import type { BkpError } from '../base/errors.js';
import { silentProgress, type Progress } from '../base/progress.js';
import { shownName, shownText } from './display.js';
import { findingLines } from './findings-view.js';
import type { Look } from './look.js';
import type { Output, View } from './output.js';
import { labelledLines, proseLines } from './prose.js';

interface Side {
  readonly write: (text: string) => void;
  readonly look: Look;
}

/** A bar that gives way to lines. */
export interface Interruptible extends Progress {
  interrupt(write: () => void): void;
}

/** For people: results on standard output, everything by the way on standard error. */
export class TextOutput implements Output {
  readonly progress: Progress;
  #out: Side;
  readonly #err: Side;
  readonly #bar: Interruptible | undefined;

  constructor(out: Side, err: Side, bar: Interruptible | undefined) {
    this.#out = out;
    this.#err = err;
    this.#bar = bar;
    this.progress = bar ?? silentProgress;
  }

  divert(): void {
    this.#out = this.#err;
  }

  start(): void {
    // People know what they typed.
  }

  step(_id: string, message: string): void {
    const { look } = this.#err;
    if (look.verbose === 0 || look.quiet) return;
    const write = (): void => this.#tell(proseLines(look.chalk.dim(shownText(message)), look, { hang: 2 }));
    if (this.#bar === undefined) write();
    else this.#bar.interrupt(write);
  }

  render(view: View): void {
    this.progress.finish();
    const { look: errLook } = this.#err;
    const { chalk, quiet } = errLook;
    this.#tell(findingLines(view.findings, view.allFindings, errLook));
    if (view.remark !== undefined && !quiet) {
      this.#tell(labelledLines(chalk.cyan('note:'), shownText(view.remark), errLook));
    }
    if (quiet && !view.isAnswer) return;
    const { look, write } = view.beforeQuestion === true ? this.#err : this.#out;
    for (const line of view.text(look)) write(`${line}\n`);
  }

  fail(error: BkpError, stack: string | undefined): void {
    this.progress.finish();
    const { look } = this.#err;
    const { message, hint, path } = error;
    const whole = path === undefined ? [] : [shownName(path)];
    this.#tell(labelledLines(look.chalk.red.bold('error:'), shownText(message), look, whole));
    if (hint !== undefined) this.#tell(labelledLines(look.chalk.cyan('hint:'), shownText(hint), look, whole));
    if (stack !== undefined) this.#tell([look.chalk.dim(shownText(stack))]);
  }

  #tell(lines: readonly string[]): void {
    for (const line of lines) this.#err.write(`${line}\n`);
  }
}
