import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText, never, systemCode } from '../base/errors.js';
import { ownEnvironment } from './own-environment.js';

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

/** Milliseconds between asking a hook to end and ending it. */
const grace = 5000;
/** Milliseconds until what was killed is gone; only a process stuck in the kernel takes longer. */
const afterKill = 2000;
/** Milliseconds. */
const lookEvery = 20;

/**
 * Runs a command to its end. What it prints goes to our standard error (standard output may be JSON lines); it reads nothing.
 * It leads a process group of its own: at the timeout, or on abort, all of that is ended (TERM, after 5 s KILL). What it left
 * running when it ended by itself goes on: hooks start applications. Never rejects for what the command does.
 */
export async function runHook(command: HookCommand, run: HookRun): Promise<HookResult> {
  if (run.signal?.aborted === true) return interrupted;
  let child: ChildProcess;
  try {
    child = start(command, run);
  } catch (error) {
    // Some errors are thrown (E2BIG), others come as an event (ENOENT).
    return unstartable(error);
  }
  const cut = cutOf(run);
  const ending = await Promise.race([endOf(child), cut.happened]);
  cut.forget();
  switch (ending.kind) {
    case 'unstartable':
      return unstartable(ending.error);
    case 'exited':
      return exited(ending.code, ending.killedBy);
    case 'timeout':
      await endGroup(child);
      return { ok: false, reason: `took longer than ${run.timeout / 1000} s and was ended` };
    case 'abort':
      await endGroup(child);
      return interrupted;
    default:
      return never(ending);
  }
}

const interrupted: HookResult = { ok: false, reason: 'was interrupted' };

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

type Ending =
  | { readonly kind: 'unstartable'; readonly error: Error }
  | { readonly kind: 'exited'; readonly code: number | null; readonly killedBy: NodeJS.Signals | null };

function endOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ kind: 'unstartable', error }));
    child.once('exit', (code, killedBy) => resolve({ kind: 'exited', code, killedBy }));
  });
}

interface Cut {
  readonly happened: Promise<{ readonly kind: 'timeout' | 'abort' }>;
  forget(): void;
}

/** When a hook may not go on. */
function cutOf({ timeout, signal }: HookRun): Cut {
  let forget = (): void => undefined;
  const happened = new Promise<{ readonly kind: 'timeout' | 'abort' }>((resolve) => {
    const onAbort = (): void => resolve({ kind: 'abort' });
    const timer = setTimeout(() => resolve({ kind: 'timeout' }), timeout);
    signal?.addEventListener('abort', onAbort, { once: true });
    forget = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
  });
  return { happened, forget: () => forget() };
}

/** Ends a hook and all that it started, in its group. Resolves when they are gone, or cannot be ended. */
async function endGroup(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  signalGroup(pid, 'SIGTERM');
  if (await isGone(pid, grace)) return;
  signalGroup(pid, 'SIGKILL');
  if (!(await isGone(pid, afterKill))) child.unref();
}

async function isGone(group: number, within: number): Promise<boolean> {
  for (let waited = 0; waited < within; waited += lookEvery) {
    if (!signalGroup(group, 0)) return true;
    await sleep(lookEvery);
  }
  return !signalGroup(group, 0);
}

/** Whether the group is there. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return false;
    // There, and no longer ours (`sudo`).
    if (systemCode(error) === 'EPERM') return true;
    throw error;
  }
}

function exited(code: number | null, killedBy: NodeJS.Signals | null): HookResult {
  if (code === 0) return { ok: true };
  if (code === null) return { ok: false, reason: `was ended by ${killedBy ?? 'a signal'}` };
  return { ok: false, reason: `ended with exit code ${code}`, exitCode: code };
}

function unstartable(error: unknown): HookResult {
  switch (systemCode(error)) {
    case 'ENOENT':
      return { ok: false, reason: 'was not found, or names an interpreter that was not found' };
    case 'EACCES':
      return { ok: false, reason: 'may not be executed' };
    default:
      return { ok: false, reason: `could not be started: ${errorText(error)}` };
  }
}

const longestShown = 120;

/** A command as a message shows it: on one line, in quotes. */
export function shownCommand(command: HookCommand): string {
  const text = typeof command === 'string' ? command.trim() : command.join(' ');
  return JSON.stringify(text.length > longestShown ? `${text.slice(0, longestShown)}…` : text);
}
