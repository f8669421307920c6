import './ignore-signals.js';
import { systemClock } from '../base/clock.js';
import { BkpError, errorText, never } from '../base/errors.js';
import { checkFile } from './check.js';
import { HeldFiles } from './held-files.js';
import type { Reply, Request, WireError } from './protocol.js';
import { takeSnapshot } from './snapshot.js';

// The only process that has live databases open: the locks of a file belong to a process, not to a connection. It answers one
// request after the other. Its parent is the only one to end it.

const held = new HeldFiles();
let last: Promise<void> = Promise.resolve();

process.on('message', (request: Request) => {
  last = last.then(() => serve(request));
});

process.on('disconnect', dieWithParent);

/** At once, with all locks, whatever is under way: nobody is left to take the result. */
function dieWithParent(): void {
  process.kill(process.pid, 'SIGKILL');
}

async function serve(request: Request): Promise<void> {
  if (request.kind === 'close') {
    process.off('disconnect', dieWithParent);
    process.disconnect();
    return;
  }
  try {
    reply(await answer(request));
  } catch (error) {
    reply({ kind: 'failed', id: request.id, error: wireError(error) });
  }
}

async function answer(request: Exclude<Request, { kind: 'close' }>): Promise<Reply> {
  const { id } = request;
  switch (request.kind) {
    case 'check':
      return { kind: 'checked', id, result: checkFile(request.path) };
    case 'snapshot': {
      const advance = (bytes: number): void => reply({ kind: 'progress', id, bytes });
      return {
        kind: 'snapshot-taken',
        id,
        result: await takeSnapshot(request.request, { held, clock: systemClock, advance }),
      };
    }
    default:
      return never(request);
  }
}

function reply(message: Reply): void {
  // That the parent is gone is told by 'disconnect'; without a callback it would be thrown here as well.
  process.send?.(message, undefined, undefined, () => undefined);
}

function wireError(error: unknown): WireError {
  if (!(error instanceof BkpError)) {
    const stack = error instanceof Error ? error.stack : undefined;
    return { kind: 'bug', message: errorText(error), ...(stack === undefined ? {} : { stack }) };
  }
  const { id, message, hint, path } = error;
  return {
    kind: 'expected',
    id,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(path === undefined ? {} : { path }),
  };
}
