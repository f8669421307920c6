import { existsSync, fstatSync, readlinkSync, statSync } from 'node:fs';
import type { ByteSink } from '../base/byte-source.js';
import { BkpError, ioError, systemCode } from '../base/errors.js';

/**
 * A stream that takes an archive: a write resolves when the system has the bytes, so that a slow reader fills no memory.
 * Rejects with `output-unwritable` or `no-space`, and with the signal's reason also while a reader does not read.
 */
export class StreamSink implements ByteSink {
  readonly #stream: NodeJS.WritableStream;
  readonly #signal: AbortSignal;
  #writing = false;

  constructor(stream: NodeJS.WritableStream, signal: AbortSignal) {
    this.#stream = stream;
    this.#signal = signal;
  }

  /** Bytes were given up that nobody has read: they would keep the process from ending. */
  get isStuck(): boolean {
    return this.#writing;
  }

  write(bytes: Uint8Array): Promise<void> {
    const signal = this.#signal;
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const onAbort = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#writing = true;
      this.#stream.write(bytes, (error) => {
        this.#writing = false;
        signal.removeEventListener('abort', onAbort);
        if (error) reject(unwritable(error));
        else resolve();
      });
    });
  }
}

/** Whether what is written to a descriptor is kept by nobody. */
export function leadsNowhere(fd: number): boolean {
  const stat = fstatSync(fd);
  return stat.isCharacterDevice() && stat.rdev === statSync('/dev/null', { throwIfNoEntry: false })?.rdev;
}

/** The file that a descriptor writes to, as the kernel names it; undefined where it is none, or nobody names it. */
export function fileBehind(fd: number): string | undefined {
  const link = `/proc/self/fd/${fd}`;
  return fstatSync(fd).isFile() && existsSync(link) ? readlinkSync(link) : undefined;
}

function unwritable(error: Error): BkpError {
  const { id } = ioError('writing to', 'standard output', error, 'output-unwritable');
  const what =
    systemCode(error) === 'EPIPE'
      ? 'the reader of standard output went away before the archive was whole (EPIPE)'
      : `standard output could not take the whole archive: ${error.message}`;
  return new BkpError(id, what, { cause: error, hint: 'What was written there is no backup: delete it.' });
}
