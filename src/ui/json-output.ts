import { timestamp, type Clock } from '../base/clock.js';
import type { BkpError } from '../base/errors.js';
import type { Phase, Progress } from '../base/progress.js';
import type { JsonLine } from './json-lines.js';
import type { StartLine } from './json-lines/run.js';
import type { Output, View } from './output.js';

/** Milliseconds between two lines of progress: at most four a second. */
const progressPause = 250;

/** JSON leaves these as they are, and some terminals act on them. */
const unescaped = /[\u007f-\u009f\u2028\u2029]/g;

export function jsonText(line: JsonLine): string {
  const text = JSON.stringify(line);
  return `${text.replace(unescaped, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}

/** Everything as JSON lines (docs/json-output.md). */
export class JsonOutput implements Output {
  readonly progress: Progress;
  readonly #elsewhere: (text: string) => void;
  readonly #clock: Clock;
  #write: (text: string) => void;
  /** Told with the next line: until then it may still be diverted. */
  #start: StartLine | undefined;

  /** `elsewhere`: where lines go once they are diverted. */
  constructor(write: (text: string) => void, elsewhere: (text: string) => void, clock: Clock) {
    this.#write = write;
    this.#elsewhere = elsewhere;
    this.#clock = clock;
    this.progress = new JsonProgress((line) => this.#line(line), clock);
  }

  start(line: Omit<StartLine, 'type' | 'time'>): void {
    this.#start = { type: 'start', time: this.#now(), ...line };
  }

  divert(): void {
    this.#write = this.#elsewhere;
  }

  step(id: string, message: string): void {
    this.#line({ type: 'step', time: this.#now(), id, message });
  }

  render(view: View): void {
    for (const line of view.json()) this.#line(line);
  }

  fail(error: BkpError, stack: string | undefined): void {
    const { id, message, hint, path, exitCode } = error;
    this.#line({
      type: 'error',
      id,
      message,
      hint: hint ?? null,
      path: path ?? null,
      exitCode,
      stack: stack ?? null,
    });
  }

  #now(): string {
    return timestamp(this.#clock.now());
  }

  #line(line: JsonLine): void {
    const first = this.#start;
    this.#start = undefined;
    if (first !== undefined) this.#write(jsonText(first));
    this.#write(jsonText(line));
  }
}

class JsonProgress implements Progress {
  readonly #tell: (line: JsonLine) => void;
  readonly #clock: Clock;
  #phase: Phase | undefined;
  #total: number | undefined;
  #bytes = 0;
  #told = -Infinity;

  constructor(tell: (line: JsonLine) => void, clock: Clock) {
    this.#tell = tell;
    this.#clock = clock;
  }

  start(phase: Phase, totalBytes?: number): void {
    this.#phase = phase;
    this.#total = totalBytes;
    this.#bytes = 0;
    this.advance(0);
  }

  advance(bytes: number, path?: string): void {
    this.#bytes += bytes;
    const now = this.#clock.monotonic();
    if (this.#phase === undefined || now - this.#told < progressPause) return;
    this.#told = now;
    this.#tell({
      type: 'progress',
      phase: this.#phase,
      bytes: this.#bytes,
      totalBytes: this.#total ?? null,
      path: path ?? null,
    });
  }

  finish(): void {
    this.#phase = undefined;
  }
}
