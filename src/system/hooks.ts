import { spawn, type ChildProcess } from 'node:child_process';
import { ownEnvironment } from './own-environment.js';
import { failureOf, runToEnd } from './run-to-end.js';

/** A list of words is run as it is, without a shell; a text is run by `/bin/sh -c`. */
export type HookCommand = string | readonly string[];

/** What a hook is told. A text is empty where there is nothing to tell. */
export type HookVariables = Readonly<
  Record<'BKP_HOOK_EVENT' | 'BKP_HOOK_ID' | 'BKP_HOOK_STATUS' | 'BKP_HOOK_EXIT_CODE' | 'BKP_HOOK_FILE', string>
>;

export interface HookRun {
  /** Beside our own environment, without what tells of a passphrase. */
  readonly env: HookVariables;
  readonly cwd: string;
  /** Milliseconds. */
  readonly timeout: number;
  /** On abort the hook is ended; without it, it runs to its end or its timeout. */
  readonly signal?: AbortSignal;
}

export type HookResult =
  | { readonly ok: true }
  /** `reason` goes on after the command: "ended with exit code 1". */
  | { readonly ok: false; readonly reason: string; readonly exitCode?: number };

/**
 * Runs a command to its end. What it prints goes to our standard error (standard output may be JSON lines); it reads nothing.
 * It leads a process group of its own: at the timeout, or on abort, all of that is ended (TERM, after 5 s KILL). What it left
 * running when it ended by itself goes on: hooks start applications. Never rejects for what the command does.
 */
export async function runHook(command: HookCommand, run: HookRun): Promise<HookResult> {
  const { timeout, signal } = run;
  const limits = { timeout, end: 'exit', ...(signal === undefined ? {} : { signal }) } as const;
  const ending = await runToEnd(() => start(command, run), limits);
  const reason = failureOf(ending, timeout);
  if (reason === undefined) return { ok: true };
  const exitCode = ending.kind === 'exited' ? ending.code : null;
  return { ok: false, reason, ...(exitCode === null ? {} : { exitCode }) };
}

function start(command: HookCommand, { env, cwd }: HookRun): ChildProcess {
  const [program = '', ...words] = typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
  return spawn(program, words, {
    cwd,
    env: { ...ownEnvironment(), ...env },
    // Its own process group, so that all that it started can be ended.
    detached: true,
    stdio: ['ignore', process.stderr.fd, process.stderr.fd],
  });
}

const longestShown = 120;

/** A command as a message shows it: on one line, in quotes. */
export function shownCommand(command: HookCommand): string {
  const text = typeof command === 'string' ? command.trim() : command.join(' ');
  return JSON.stringify(text.length > longestShown ? `${text.slice(0, longestShown)}…` : text);
}
