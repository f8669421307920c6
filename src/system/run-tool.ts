import { spawn } from 'node:child_process';
import { errorText, systemCode } from '../base/errors.js';
import { ownEnvironment } from './own-environment.js';

export type ToolResult =
  | { readonly kind: 'ended'; readonly code: number | null; readonly stdout: Buffer; readonly stderr: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly reason: string };

/** Milliseconds. */
const timeout = 30_000;
/** Of what it prints. */
const maxBytes = 16 * 1024 * 1024;

/** Runs a program of the system, in English, to its end. Never rejects. */
export function runTool(name: string, words: readonly string[], input?: Buffer): Promise<ToolResult> {
  return new Promise((resolve) => {
    const child = spawn(name, words, {
      env: { ...ownEnvironment(), LC_ALL: 'C' },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    // Not `spawn`'s own: it would go on where nothing could be started.
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    const settle = (result: ToolResult): void => {
      clearTimeout(timer);
      resolve(result);
    };
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    let bytes = 0;
    const keep = (into: Buffer[], chunk: Buffer): void => {
      bytes += chunk.length;
      into.push(chunk);
      if (bytes > maxBytes) child.kill('SIGKILL');
    };
    child.stdout?.on('data', (chunk: Buffer) => keep(out, chunk));
    child.stderr?.on('data', (chunk: Buffer) => keep(err, chunk));
    child.on('error', (error) =>
      settle(systemCode(error) === 'ENOENT' ? { kind: 'missing' } : { kind: 'failed', reason: errorText(error) }),
    );
    child.on('close', (code, signal) => {
      if (signal !== null) settle({ kind: 'failed', reason: `it was ended by ${signal}` });
      else settle({ kind: 'ended', code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString().trim() });
    });
    // One that reads nothing has closed it.
    child.stdin?.on('error', () => undefined).end(input);
  });
}
