import type { ByteSink } from '../base/byte-source.js';
import { systemCode } from '../base/errors.js';
import { StreamSink } from './stream-sink.js';

/** Standard output or error. A reader that went away ends the writing quietly; any other failure is kept to be told. */
export class StreamWriter {
  readonly #stream: NodeJS.WritableStream;
  #failure: unknown;
  #sink: StreamSink | undefined;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
    stream.on('error', (error: unknown) => {
      this.#failure ??= error;
    });
  }

  write(text: string): void {
    if (this.#failure === undefined) this.#stream.write(text);
  }

  /** Gives it to an archive, which tells its failures itself. No text is to be written any more. */
  handOver(signal: AbortSignal): ByteSink {
    this.#sink = new StreamSink(this.#stream, signal);
    return this.#sink;
  }

  get isHandedOver(): boolean {
    return this.#sink !== undefined;
  }

  get isStuck(): boolean {
    return this.#sink?.isStuck === true;
  }

  /** Resolves when all is written: to why it could not be, if so. */
  async flushed(): Promise<unknown> {
    if (this.isHandedOver) return undefined;
    await new Promise<void>((resolve) => {
      this.#stream.write('', () => {
        // The stream tells its error after it has called back.
        setImmediate(resolve);
      });
    });
    return systemCode(this.#failure) === 'EPIPE' ? undefined : this.#failure;
  }
}
