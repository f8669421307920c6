import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { SecretBytes } from '../base/secret-bytes.js';
import { ownEnvironment } from './own-environment.js';
import { failureOf, runToEnd } from './run-to-end.js';

export interface OutputRequest {
  /** A program and its arguments, run without a shell. */
  readonly words: readonly string[];
  readonly cwd: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly maxBytes: number;
  /** On abort the command is ended, and the call rejects with the reason. */
  readonly signal: AbortSignal;
}

export type CommandOutput =
  /** `bytes` have memory of their own, for the caller to wipe. */
  | { readonly ok: true; readonly bytes: Buffer }
  /** `reason` goes on after the command, and holds nothing of what it printed. */
  | { readonly ok: false; readonly reason: string };

/**
 * What a command prints on standard output, which may be a secret: no copy of it is left in memory. Its standard error is
 * not shown either; it reads nothing and has no terminal. It and all that it started is ended at the timeout.
 */
export async function commandOutput(request: OutputRequest): Promise<CommandOutput> {
  const { timeout, maxBytes, signal } = request;
  const taken = new SecretBytes(maxBytes);
  const tooMuch = new AbortController();
  const limits = { timeout, signal: AbortSignal.any([signal, tooMuch.signal]), end: 'close' } as const;
  let output: Readable | undefined;
  try {
    const ending = await runToEnd(() => {
      const child = start(request);
      output = child.stdout.on('data', (chunk: Buffer) => {
        if (!taken.take(chunk)) tooMuch.abort();
      });
      return child;
    }, limits);
    signal.throwIfAborted();
    if (tooMuch.signal.aborted) return { ok: false, reason: `printed more than ${maxBytes} bytes` };
    const reason = failureOf(ending, timeout);
    return reason === undefined ? { ok: true, bytes: taken.copy() } : { ok: false, reason };
  } finally {
    // What got away from its group may still hold it.
    output?.destroy();
    taken.forget();
  }
}

function start({ words, cwd }: OutputRequest): ChildProcessByStdio<null, Readable, null> {
  const [program = '', ...more] = words;
  return spawn(program, more, {
    cwd,
    env: ownEnvironment(),
    // Its own process group, so that all that it started can be ended.
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}
