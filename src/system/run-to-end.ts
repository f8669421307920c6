import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText, never, systemCode } from '../base/errors.js';

/** How a command ended, or why it was ended. */
export type RunEnding =
  | { readonly kind: 'unstartable'; readonly error: unknown }
  | { readonly kind: 'exited'; readonly code: number | null; readonly killedBy: NodeJS.Signals | null }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'abort' };

export interface RunLimits {
  /** Milliseconds. */
  readonly timeout: number;
  /** On abort the command is ended; without it, it runs to its end or its timeout. */
  readonly signal?: AbortSignal;
  /** `close`: also what it left running must have let go of the streams that we read. */
  readonly end: 'exit' | 'close';
}

/** Milliseconds between asking a command to end and ending it. */
const grace = 5000;
/** Milliseconds until what was killed is gone; only a process stuck in the kernel takes longer. */
const afterKill = 2000;
/** Milliseconds. */
const lookEvery = 20;

/**
 * Starts a command that leads a process group of its own (`detached`) and waits for its end. At the timeout, or on abort, all
 * of that group is ended (TERM, after 5 s KILL). What it left running when it ended by itself goes on. Never rejects.
 */
export async function runToEnd(start: () => ChildProcess, limits: RunLimits): Promise<RunEnding> {
  if (limits.signal?.aborted === true) return { kind: 'abort' };
  let child: ChildProcess;
  try {
    child = start();
  } catch (error) {
    // Some errors are thrown (E2BIG), others come as an event (ENOENT).
    return { kind: 'unstartable', error };
  }
  const cut = cutOf(limits);
  const ending = await Promise.race([endOf(child, limits.end), cut.happened]);
  cut.forget();
  if (ending.kind === 'timeout' || ending.kind === 'abort') await endGroup(child);
  return ending;
}

/** What there is to say of it after the command: "ended with exit code 1"; undefined where it succeeded. */
export function failureOf(ending: RunEnding, timeout: number): string | undefined {
  switch (ending.kind) {
    case 'unstartable':
      return unstartable(ending.error);
    case 'exited':
      if (ending.code === 0) return undefined;
      return ending.code === null
        ? `was ended by ${ending.killedBy ?? 'a signal'}`
        : `ended with exit code ${ending.code}`;
    case 'timeout':
      return `took longer than ${timeout / 1000} s and was ended`;
    case 'abort':
      return 'was interrupted';
    default:
      return never(ending);
  }
}

function unstartable(error: unknown): string {
  switch (systemCode(error)) {
    case 'ENOENT':
      return 'was not found, or names an interpreter that was not found';
    case 'EACCES':
      return 'may not be executed';
    default:
      return `could not be started: ${errorText(error)}`;
  }
}

function endOf(child: ChildProcess, end: 'exit' | 'close'): Promise<RunEnding> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ kind: 'unstartable', error }));
    child.once(end, (code: number | null, killedBy: NodeJS.Signals | null) =>
      resolve({ kind: 'exited', code, killedBy }),
    );
  });
}

interface Cut {
  readonly happened: Promise<{ readonly kind: 'timeout' | 'abort' }>;
  forget(): void;
}

/** When a command may not go on. */
function cutOf({ timeout, signal }: RunLimits): Cut {
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

/** Ends a command and all that it started, in its group. Resolves when they are gone, or cannot be ended. */
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
