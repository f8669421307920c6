import type { BkpError } from '../base/errors.js';
import type { Progress } from '../base/progress.js';
import type { JsonLine } from './json-lines.js';
import type { StartLine } from './json-lines/run.js';
import type { Finding } from '../manifest/findings.js';
import type { Look } from './look.js';

/** One result, for people and for programs. Made by pure functions; drawn by an `Output`. */
export interface View {
  /** Lines for standard output. */
  text(look: Look): Iterable<string>;
  /** Told on standard error, for people: what was lost or damaged, and notes. */
  readonly findings: readonly Finding[];
  /** Where all findings are to be seen, if there are too many to tell. */
  readonly allFindings: string;
  /** One more thing to know, for people, beside the result. */
  readonly remark?: string;
  /** It is what was asked for, not the report of a deed: `-q` does not silence it. */
  readonly isAnswer: boolean;
  /** Shown before a question, so that it is seen where standard output goes elsewhere: its lines are for standard error. */
  readonly beforeQuestion?: boolean;
  json(): Iterable<JsonLine>;
}

/** Where a command's results go. Chosen once: text or JSON lines. */
export interface Output {
  readonly progress: Progress;
  /** Standard output takes an archive: from now on everything is told on standard error. Before anything was told. */
  divert(): void;
  start(line: Omit<StartLine, 'type' | 'time'>): void;
  step(id: string, message: string): void;
  render(view: View): void;
  /** The last thing told of a run that failed; `stack` only where it was asked for. */
  fail(error: BkpError, stack: string | undefined): void;
}
