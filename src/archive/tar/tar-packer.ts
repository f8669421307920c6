import { once } from 'node:events';
import { pack, type Pack } from 'tar-stream';
import type { PackHeader } from './pack-header.js';

const tarBlock = 512;

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
      const taken = expectBytes(bytes);
      this.#produced += taken.length;
      take(taken);
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
    if (this.#produced % tarBlock !== 0)
      throw new Error(`an entry ended at byte ${this.#produced}, inside a tar block`);
  }
}

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
