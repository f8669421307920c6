import { BkpError, errorText, never, systemFailure } from '../base/errors.js';
import type { WireError } from './protocol.js';

/** An error as it can go through a channel between processes. */
export function wireError(error: unknown): WireError {
  const expected = error instanceof BkpError ? error : systemFailure(error);
  if (expected === undefined) {
    const stack = error instanceof Error ? error.stack : undefined;
    return { kind: 'bug', message: errorText(error), ...(stack === undefined ? {} : { stack }) };
  }
  const { id, message, hint, path } = expected;
  return {
    kind: 'expected',
    id,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(path === undefined ? {} : { path }),
  };
}

/** The error on the other side; `where` says which process a bug was in. */
export function errorFromWire(error: WireError, where: string): Error {
  switch (error.kind) {
    case 'expected':
      return new BkpError(error.id, error.message, error);
    case 'bug': {
      const bug = new Error(`${where}: ${error.message}`);
      if (error.stack !== undefined) bug.stack = error.stack;
      return bug;
    }
    default:
      return never(error);
  }
}
