import { fork } from 'node:child_process';
import { entryPoint } from '../base/entry-point.js';
import { BkpError } from '../base/errors.js';
import type { WireError } from './protocol.js';
import type { RawCopy } from './raw-copy.js';
import { errorFromWire } from './wire-error.js';

export interface CopierRequest {
  readonly source: string;
  readonly destination: string;
}

export type CopierReply =
  { readonly kind: 'copied'; readonly result: RawCopy } | { readonly kind: 'failed'; readonly error: WireError };

/**
 * Copies a database's bytes as `copyRaw` does, in a process of its own: for one that this process has locked, and would
 * unlock by closing its file.
 */
export function copyRawApart(source: string, destination: string): Promise<RawCopy> {
  return new Promise((resolve, reject) => {
    const child = fork(entryPoint('sqlite/raw-copier.js'), [], {
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.on('message', (reply: CopierReply) => {
      if (reply.kind === 'copied') resolve(reply.result);
      else reject(errorFromWire(reply.error, 'in the process that copies a damaged database'));
    });
    const fail = (what: string, cause?: unknown): void => {
      const message = `the process that copies the damaged database ${source} failed: ${what}`;
      reject(new BkpError('sqlite-child-failed', message, { cause, path: source }));
    };
    child.on('error', (error) => fail(error.message, error));
    child.on('close', (code, signal) => fail(`it ended with ${signal ?? `code ${code ?? 'unknown'}`} and no answer`));
    const request: CopierRequest = { source, destination };
    child.send(request, () => undefined);
  });
}
