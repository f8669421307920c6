import { systemCode } from '../base/errors.js';

/** Standard output or error. A reader that went away ends the writing quietly; any other failure is kept to be told. */
export class StreamWriter {
  readonly #stream: NodeJS.WritableStream;
  #failure: unknown;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
    stream.on('error', (error: unknown) => {
      this.#failure ??= error;
    });
  }

  write(text: string): void {
    if (this.#failure === undefined) this.#stream.write(text);
  }

  /** Resolves when all is written: to why it could not be, if so. */
  async flushed(): Promise<unknown> {
    await new Promise<void>((resolve) => {
      this.#stream.write('', () => {
        // The stream tells its error after it has called back.
        setImmediate(resolve);
      });
    });
    return systemCode(this.#failure) === 'EPIPE' ? undefined : this.#failure;
  }
}
