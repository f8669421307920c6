import type { BkpError } from '../base/errors.js';
import { silentProgress, type Progress } from '../base/progress.js';
import { shownText } from './display.js';
import { findingLines } from './findings-view.js';
import type { Look } from './look.js';
import type { Output, View } from './output.js';

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
    const write = (): void => this.#err.write(`${look.chalk.dim(shownText(message))}\n`);
    if (this.#bar === undefined) write();
    else this.#bar.interrupt(write);
  }

  render(view: View): void {
    this.progress.finish();
    for (const line of findingLines(view.findings, view.allFindings, this.#err.look)) this.#err.write(`${line}\n`);
    const { chalk, quiet } = this.#err.look;
    if (view.remark !== undefined && !quiet) this.#err.write(`${chalk.cyan('note:')} ${shownText(view.remark)}\n`);
    if (quiet && !view.isAnswer) return;
    const { look, write } = view.beforeQuestion === true ? this.#err : this.#out;
    for (const line of view.text(look)) write(`${line}\n`);
  }

  fail(error: BkpError, stack: string | undefined): void {
    this.progress.finish();
    const { chalk } = this.#err.look;
    this.#err.write(`${chalk.red.bold('error:')} ${shownText(error.message)}\n`);
    if (error.hint !== undefined) this.#err.write(`${chalk.cyan('hint:')} ${shownText(error.hint)}\n`);
    if (stack !== undefined) this.#err.write(`${chalk.dim(shownText(stack))}\n`);
  }
}
