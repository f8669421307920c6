import { exit } from 'node:process';
import { isatty } from 'node:tty';
import { systemClock } from './base/clock.js';
import { BkpError, errorText, systemFailure } from './base/errors.js';
import { exitCodes, type ExitCode } from './base/exit-codes.js';
import { parseCommandLine } from './commands/command-line.js';
import type { CommandDeps, Job } from './commands/job.js';
import { readVersion } from './commands/version.js';
import type { Kept } from './operations/deps.js';
import { widthOf } from './ui/look.js';
import { openOutput, streamsBefore, wantedBefore } from './ui/open-output.js';
import type { Output } from './ui/output.js';
import type { Screens } from './ui/screens.js';
import { fileBehind, leadsNowhere } from './ui/stream-sink.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** What tells of a passphrase is for this process alone: none that it starts inherits it. */
function takeEnvironment(): Environment {
  const env = { ...process.env };
  for (const name of Object.keys(env)) if (name.startsWith('BKP_PASSPHRASE')) Reflect.deleteProperty(process.env, name);
  return env;
}

/** Does what a command line asks for, and tells it. Resolves to how it ended; never rejects. */
export async function run(args: readonly string[], screens: Screens, kept: Kept): Promise<ExitCode> {
  const env = takeEnvironment();
  let output: Output | undefined;
  let verbose = 0;
  const controller = new AbortController();
  listenToSignals(controller, screens);
  try {
    const { out, stdout } = screens;
    const look = { terminal: stdout.isTTY, width: widthOf(stdout) };
    const parsed = await parseCommandLine(args, (text) => out.write(text), look);
    if (parsed.kind === 'told') return exitCodes.done;
    const { job } = parsed;
    verbose = job.globals.verbose;
    output = await openOutput(screens, job.globals, env, systemClock);
    const exitCode = await runJob(job, {
      cwd: process.cwd(),
      env,
      kept,
      signal: controller.signal,
      output,
      stdout: {
        isTerminal: isatty(1),
        isNowhere: () => leadsNowhere(1),
        file: () => fileBehind(1),
        handOver: () => screens.out.handOver(controller.signal),
      },
    });
    if (!finished.has(exitCode)) controller.signal.throwIfAborted();
    return exitCode;
  } catch (error) {
    const isSignal = controller.signal.aborted && !outlivesSignal(error);
    const { withOwner } = await import('./commands/denied.js');
    const failure = withOwner(expected(isSignal ? controller.signal.reason : error));
    if (output === undefined) {
      output = await openOutput(screens, wantedBefore(args), env, systemClock);
      if (streamsBefore(args)) output.divert();
    }
    output.fail(failure, verbose >= 2 ? stackOf(error) : undefined);
    return failure.exitCode;
  }
}

/** What a job ends with that came to its end in spite of a signal: a backup that has its name was not interrupted. */
const finished: ReadonlySet<ExitCode> = new Set([exitCodes.done, exitCodes.incomplete]);

/** What must be told although there was a signal too: where the files of a restore lie now. */
const outlivesSignal = (error: unknown): boolean =>
  error instanceof BkpError && (error.id === 'restore-rolled-back' || error.id === 'rollback-failed');

function runJob(job: Job, deps: Omit<CommandDeps, 'elapsed'>): Promise<ExitCode> {
  const started = systemClock.monotonic();
  const elapsed = (): number => Math.round(systemClock.monotonic() - started);
  deps.output.start({ command: job.name, version: readVersion(), dryRun: job.dryRun });
  return job.run({ ...deps, elapsed });
}

const endings = {
  SIGHUP: { id: 'hung-up', text: 'hung up', exitCode: exitCodes.hangup },
  SIGINT: { id: 'interrupted', text: 'interrupted', exitCode: exitCodes.interrupted },
  SIGTERM: { id: 'terminated', text: 'terminated', exitCode: exitCodes.terminated },
} as const;

/** Milliseconds. One Ctrl-C may come twice: from the terminal, and from a wrapper (`timeout`, `npx`) that passes it on. */
const sameSignal = 250;

/** The first signal ends the run, which cleans up; a second one does not wait for that. They are heard to the very end. */
function listenToSignals(controller: AbortController, { out }: Screens): void {
  let first: number | undefined;
  for (const [signal, { id, text, exitCode }] of Object.entries(endings)) {
    process.on(signal, () => {
      const now = systemClock.monotonic();
      // Leaving at once is what was asked for: nothing is flushed, nothing undone.
      if (first !== undefined && now - first > sameSignal) exit(exitCode);
      if (first !== undefined) return;
      first = now;
      const hint = out.isHandedOver
        ? 'What standard output got is no backup: delete it.'
        : 'What it had begun was taken back; run it again when it suits.';
      controller.abort(new BkpError(id, `${text} (${signal})`, { hint }));
    });
  }
}

/** What was thrown as an expected failure. Only what nobody foresaw is called a bug. */
function expected(error: unknown): BkpError {
  if (error instanceof BkpError) return error;
  const failure = systemFailure(error);
  if (failure !== undefined) return failure;
  const inner = error instanceof AggregateError ? error.errors.map(errorText) : [];
  return new BkpError('internal', ['this is a bug in bkp:', errorText(error), ...inner].join('\n  '), {
    cause: error,
    hint: 'Run it again with -vv to see where, and report it.',
  });
}

function stackOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const stack = error.stack ?? error.message;
  return error.cause === undefined ? stack : `${stack}\ncaused by: ${stackOf(error.cause) ?? errorText(error.cause)}`;
}
