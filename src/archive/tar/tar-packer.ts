import { once } from 'node:events';
import { pack, type Pack } from 'tar-stream';
import type { PackHeader } from './pack-header.js';

const tarBlock = 512;

/** tar-stream's `pack`, driven one entry at a time: each call gives all bytes of its entry, padding included. */
export class TarPacker {
  readonly #pack: Pack = pack();
  #failure: Error | undefined;
  #pieces: Buffer[] = [];

  constructor() {
    this.#pack.on('data', (bytes) => this.#pieces.push(expectBytes(bytes)));
    this.#pack.on('error', (error: Error) => (this.#failure ??= error));
  }

  /** A folder, a link, or a small file with its content. */
  async whole(header: PackHeader, bytes?: Buffer): Promise<readonly Buffer[]> {
    await new Promise<void>((resolve, reject) => {
      const done = (error?: Error | null): void => (error ? reject(error) : resolve());
      if (bytes === undefined) this.#pack.entry(header, done);
      else this.#pack.entry(header, bytes, done);
    });
    return this.#given();
  }

  /** The two zero blocks that end an archive. */
  end(): readonly Buffer[] {
    this.#pack.finalize();
    return this.#given();
  }

  destroy(): void {
    this.#pack.destroy();
  }

  /** Empties the pack's own buffer: reading gives what is there to the listener. */
  #given(): readonly Buffer[] {
    while (this.#pack.read() !== null);
    if (this.#failure !== undefined) throw this.#failure;
    const pieces = this.#pieces;
    this.#pieces = [];
    const bytes = bytesOf(pieces);
    if (bytes % tarBlock !== 0) throw new Error(`an entry has ${bytes} bytes, which are no tar blocks`);
    return pieces;
  }
}

export const bytesOf = (pieces: readonly Buffer[]): number => pieces.reduce((sum, { length }) => sum + length, 0);

/** What lies before the content of a file whose content somebody else writes, and the padding behind it. */
export async function packHead(header: PackHeader): Promise<Buffer> {
  // Of its own: this one never gets the content that it waits for.
  const alone = pack();
  const pieces: Buffer[] = [];
  alone.on('data', (bytes) => pieces.push(expectBytes(bytes)));
  alone.on('error', () => undefined);
  const entry = alone.entry(header);
  entry.on('error', () => undefined);
  try {
    await once(entry, 'open');
    while (alone.read() !== null);
    return Buffer.concat(pieces);
  } finally {
    alone.destroy();
  }
}

/** What fills the last block of `size` bytes of content. */
export const padding = (size: number): Buffer => Buffer.alloc((tarBlock - (size % tarBlock)) % tarBlock);

function expectBytes(bytes: unknown): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  throw new TypeError('tar-stream gave something else than bytes');
}
