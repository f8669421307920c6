import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

/** How a run of the command line ended, and what it printed. */
export interface ResidentRan {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What it took of its process; `report-usage.mjs` tells the same of others. */
export interface Usage {
  readonly peakKiB: number;
  readonly cpuMs: number;
}

export interface ResidentRun {
  readonly args: readonly string[];
  readonly cwd?: string;
  /** All of it. */
  readonly env: NodeJS.ProcessEnv;
}

const script = fileURLToPath(new URL('resident-cli.mjs', import.meta.url));
let resident: ChildProcess | undefined;
let isBusy = false;

/**
 * Whether a run may go to the process that stays: one at a time, none that hands its standard output to an archive. With
 * BKP_TEST_PROCESSES=1 each run is a process of its own.
 */
export const takesResident = (args: readonly string[]): boolean =>
  process.env['BKP_TEST_PROCESSES'] !== '1' && !isBusy && !args.includes('-') && !args.includes('-o-');

/**
 * Runs the built command line in a process that stays for the next run, which saves the start of Node.js and the loading
 * of all modules. Its file descriptors, its threads and its children are real; it has ended when nothing is left that
 * would keep a process alive.
 */
export async function residentBkp({ args, cwd = tmpdir(), env }: ResidentRun): Promise<ResidentRan & Partial<Usage>> {
  isBusy = true;
  try {
    resident ??= await started();
    return await runIn(resident, { args, cwd, env });
  } finally {
    isBusy = false;
  }
}

async function started(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [script], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8');
  await once(child, 'message');
  // It ends with this process, whose channel it listens to.
  process.once('exit', () => child.kill('SIGKILL'));
  wait(child, false);
  return child;
}

/** Between two runs it is not waited for. */
function wait(child: ChildProcess, isWanted: boolean): void {
  for (const handle of [child, child.channel, child.stdout as Socket, child.stderr as Socket]) {
    if (isWanted) handle?.ref();
    else handle?.unref();
  }
}

async function runIn(child: ChildProcess, run: Required<ResidentRun>): Promise<ResidentRan & Partial<Usage>> {
  const mark = `\0${randomUUID()}\0`;
  const texts = { stdout: '', stderr: '' };
  wait(child, true);
  const waiting = new AbortController();
  const marked = (['stdout', 'stderr'] as const).map(
    (name) =>
      new Promise<void>((resolve) => {
        const look = (text: string): void => {
          texts[name] += text;
          if (!texts[name].endsWith(mark)) return;
          texts[name] = texts[name].slice(0, -mark.length);
          resolve();
        };
        child[name]?.on('data', look);
        waiting.signal.addEventListener('abort', () => child[name]?.off('data', look));
      }),
  );
  const answered = once(child, 'message', waiting) as Promise<[Usage & { readonly code: number }]>;
  const closed = once(child, 'close', waiting) as Promise<[number | null, NodeJS.Signals | null]>;
  child.send({ ...run, mark });
  const died = closed.then(([code, signal]) => ({ code, signal }));
  const done = Promise.all([answered, ...marked]).then(([[end]]) => ({ ...end, signal: null }));
  try {
    const end = await Promise.race([done, died]);
    return { ...end, ...texts };
  } finally {
    if (child.exitCode !== null || child.signalCode !== null) resident = undefined;
    waiting.abort();
    for (const left of [answered, closed, died, done]) left.catch(() => undefined);
    wait(child, false);
  }
}
