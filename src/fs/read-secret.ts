import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { SecretBytes } from '../base/secret-bytes.js';

export interface SecretFile {
  /** For the caller to wipe. */
  readonly bytes: Buffer;
  /** Permission bits. */
  readonly mode: number;
}

/** All of a small file; no copy of it is left in memory. Throws where it is no regular file, or longer. */
export function readSecretFile(path: string, maxBytes: number): SecretFile {
  // Without O_NONBLOCK a fifo of that name would be waited for.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error('it is not a regular file');
    return { bytes: readToEnd(fd, maxBytes), mode: stat.mode & 0o7777 };
  } finally {
    closeSync(fd);
  }
}

export interface HandedOver {
  readonly fd: number;
  readonly maxBytes: number;
  /** Milliseconds until its other end must have been closed. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** What another process handed over, from where it stands to its end; the descriptor is closed, so that none after us has it. */
export async function readSecretDescriptor(from: HandedOver): Promise<Buffer> {
  const { fd, maxBytes, timeout, signal } = from;
  const stat = fstatSync(fd);
  if (stat.isFile()) {
    try {
      return readToEnd(fd, maxBytes);
    } finally {
      closeSync(fd);
    }
  }
  if (!stat.isFIFO() && !stat.isSocket()) throw new Error('it is neither a pipe, a socket nor a file');
  const limit = AbortSignal.timeout(timeout);
  const socket = addAbortSignal(AbortSignal.any([signal, limit]), new Socket({ fd, readable: true, writable: false }));
  const taken = new SecretBytes(maxBytes);
  try {
    for await (const chunk of socket) if (!taken.take(chunk as Buffer)) throw tooLong(maxBytes);
    return taken.copy();
  } catch (error) {
    signal.throwIfAborted();
    throw limit.aborted ? new Error(`its other end was not closed within ${timeout / 1000} s`) : error;
  } finally {
    taken.forget();
    socket.destroy();
  }
}

function readToEnd(fd: number, maxBytes: number): Buffer {
  const taken = new SecretBytes(maxBytes);
  const chunk = Buffer.alloc(maxBytes + 1);
  try {
    for (let seen = readSync(fd, chunk); seen > 0; seen = readSync(fd, chunk)) {
      if (!taken.take(chunk.subarray(0, seen))) throw tooLong(maxBytes);
    }
    return taken.copy();
  } finally {
    taken.forget();
  }
}

const tooLong = (maxBytes: number): Error => new Error(`there are more than ${maxBytes} bytes`);
