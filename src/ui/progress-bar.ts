import { SingleBar, type Options, type Params } from 'cli-progress';
import type { Clock } from '../base/clock.js';
import type { Phase, Progress } from '../base/progress.js';
import { formatBytes, formatDuration } from './format.js';

const phaseNames: Readonly<Record<Phase, string>> = {
  databases: 'Copying databases',
  scan: 'Looking at folders',
  archive: 'Archiving',
  'read-back': 'Reading back',
  copy: 'Copying',
  verify: 'Verifying',
  stage: 'Restoring',
  check: 'Checking databases',
};

interface BarState {
  readonly phase: Phase;
  readonly bytes: number;
  readonly total: number | undefined;
  readonly milliseconds: number;
}

/** One line of at most `width` columns: phase, bar, percent, bytes, bytes per second, time left. */
export function barLine({ phase, bytes, total, milliseconds }: BarState, width: number): string {
  const name = phaseNames[phase].padEnd(18);
  const speed = milliseconds < 500 ? undefined : (bytes * 1000) / milliseconds;
  const rate = speed === undefined ? '' : `  ${formatBytes(Math.round(speed))}/s`;
  if (total === undefined || total === 0) return `${name} ${formatBytes(bytes)}${rate}`.slice(0, width);
  const part = Math.min(bytes / total, 1);
  const left =
    speed === undefined || speed === 0 ? '' : `  ${formatDuration(((total - total * part) * 1000) / speed)} left`;
  const numbers = ` ${String(Math.floor(part * 100)).padStart(3)} %  ${formatBytes(bytes)}${rate}${left}`;
  const cells = Math.min(30, width - name.length - numbers.length - 4);
  const full = Math.round(part * cells);
  const bar = cells < 5 ? '' : ` [${'='.repeat(full)}${' '.repeat(cells - full)}]`;
  return `${name}${bar}${numbers}`.slice(0, width);
}

/** A bar on a terminal, while something goes on. */
export class ProgressBar implements Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #clock: Clock;
  #bar: SingleBar | undefined;
  #phase: Phase = 'scan';
  #total: number | undefined;
  #bytes = 0;
  #started = 0;

  constructor(stream: NodeJS.WriteStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
  }

  start(phase: Phase, totalBytes?: number): void {
    this.#phase = phase;
    this.#total = totalBytes;
    this.#bytes = 0;
    this.#started = this.#clock.monotonic();
    if (this.#bar === undefined) this.#draw();
  }

  advance(bytes: number): void {
    this.#bytes += bytes;
  }

  finish(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  /** Lets lines be written: the bar is taken away, and drawn again below them. */
  interrupt(write: () => void): void {
    const drawn = this.#bar !== undefined;
    this.finish();
    write();
    if (drawn) this.#draw();
  }

  /** When it is stopped, a bar goes back to where it began: it must not be written above while it is drawn. */
  #draw(): void {
    this.#bar = new SingleBar(this.#options());
    // Its own numbers are not shown: the line is drawn from ours.
    this.#bar.start(1, 0);
  }

  #options(): Options {
    return {
      stream: this.#stream,
      format: (_options: Options, _params: Params) => this.#line(),
      fps: 5,
      // Leaves nothing switched off in the terminal of a run that is killed.
      hideCursor: false,
      linewrap: true,
      clearOnComplete: true,
      forceRedraw: true,
      // The signals are cli.ts's.
      gracefulExit: false,
    };
  }

  #line(): string {
    const milliseconds = this.#clock.monotonic() - this.#started;
    const state = { phase: this.#phase, bytes: this.#bytes, total: this.#total, milliseconds };
    // The last column stays free: some terminals wrap when it is written to.
    return barLine(state, (this.#stream.columns || 80) - 1);
  }
}
