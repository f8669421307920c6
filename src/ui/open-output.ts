import type { Clock } from '../base/clock.js';
import { JsonOutput } from './json-output.js';
import { chalkFor, colorLevel, isDumb, widthOf, type Look } from './look.js';
import type { Output } from './output.js';
import type { Screens } from './screens.js';
import { TextOutput, type Interruptible } from './text-output.js';

/** How results are wanted. */
export interface Wanted {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: number;
  readonly color: boolean;
  readonly progress: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Chooses once how a run tells its results. */
export async function openOutput(screens: Screens, wanted: Wanted, env: Environment, clock: Clock): Promise<Output> {
  const { out, err, stdout, stderr } = screens;
  if (wanted.json)
    return new JsonOutput(
      (text) => out.write(text),
      (text) => err.write(text),
      clock,
    );
  const look = (stream: NodeJS.WriteStream): Look => ({
    chalk: chalkFor(colorLevel(stream, env, wanted.color)),
    terminal: stream.isTTY,
    width: widthOf(stream),
    verbose: wanted.verbose,
    quiet: wanted.quiet,
  });
  const withBar = wanted.progress && !wanted.quiet && !isDumb(stderr, env);
  return new TextOutput(
    { write: (text) => out.write(text), look: look(stdout) },
    { write: (text) => err.write(text), look: look(stderr) },
    withBar ? await openBar(stderr, clock) : undefined,
  );
}

/** For a command line that was not understood: as far as its words tell. */
export function wantedBefore(args: readonly string[]): Wanted {
  const end = args.indexOf('--');
  const words = new Set(end === -1 ? args : args.slice(0, end));
  return { json: words.has('--json'), quiet: false, verbose: 0, color: !words.has('--no-color'), progress: false };
}

/** Whether a command line that was not understood would have had standard output take an archive. */
export function streamsBefore(args: readonly string[]): boolean {
  if (!args.includes('create') && !args.includes('backup')) return false;
  return args.some(
    (word, at) => /^(?:-o-|--output=-)$/.test(word) || (/^(?:-o|--output)$/.test(word) && args[at + 1] === '-'),
  );
}

async function openBar(stderr: NodeJS.WriteStream, clock: Clock): Promise<Interruptible> {
  const { ProgressBar } = await import('./progress-bar.js');
  return new ProgressBar(stderr, clock);
}
