import { pack, type Pack } from 'tar-stream';
import type { PackHeader } from './pack-header.js';

/**
 * tar-stream's `pack`, driven one entry at a time: when a call resolves, every byte of its entry, padding included, has
 * been given to `take`. So a member can begin between any two entries, and one pack serves the whole archive.
 */
export class TarPacker {
  readonly #pack: Pack = pack();
  #failure: Error | undefined;
  #produced = 0;

  constructor(take: (bytes: Buffer) => void) {
    this.#pack.on('data', (bytes) => {
      if (!Buffer.isBuffer(bytes)) throw new TypeError('tar-stream gave something else than bytes');
      this.#produced += bytes.length;
      take(bytes);
    });
    this.#pack.on('error', (error: Error) => (this.#failure ??= error));
  }

  /** A folder, a link, or a small file with its content. */
  async whole(header: PackHeader, bytes?: Buffer): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const done = (error?: Error | null): void => (error ? reject(error) : resolve());
      if (bytes === undefined) this.#pack.entry(header, done);
      else this.#pack.entry(header, bytes, done);
    });
    this.#flush();
  }

  /** A file in chunks, exactly `header.size` bytes; `taken` is awaited after each. */
  async chunks(header: PackHeader, chunks: AsyncIterable<Buffer>, taken: () => Promise<void>): Promise<void> {
    let settle: (error?: Error | null) => void = () => undefined;
    const done = new Promise<void>((resolve, reject) => {
      settle = (error) => (error ? reject(error) : resolve());
    });
    // Its failure is seen below, or the chunks' own failure is the one to tell.
    done.catch(() => undefined);
    const entry = this.#pack.entry(header, settle);
    entry.on('error', (error: Error) => (this.#failure ??= error));
    for await (const chunk of chunks) {
      if (entry.destroyed) break;
      if (!entry.write(chunk)) await emptied(entry);
      if (this.#failure !== undefined) throw this.#failure;
      await taken();
    }
    entry.end(null);
    await done;
    this.#flush();
    await taken();
  }

  /** Writes the two zero blocks that end an archive. */
  end(): void {
    this.#pack.finalize();
    this.#flush();
  }

  destroy(): void {
    this.#pack.destroy();
  }

  /** Empties the pack's own buffer: reading gives what is there to the listener. */
  #flush(): void {
    while (this.#pack.read() !== null);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#produced % 512 !== 0) throw new Error(`an entry ended at byte ${this.#produced}, inside a tar block`);
  }
}

/** Resolves when everything written is taken, or the stream is gone. */
function emptied(entry: ReturnType<Pack['entry']>): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      entry.off('drain', settle);
      entry.off('close', settle);
      resolve();
    };
    entry.on('drain', settle);
    entry.on('close', settle);
  });
}
