import { createHash } from 'node:crypto';
import type { EntrySum } from '../archive/archive.js';
import { SpillBuffer } from '../fs/spill-buffer.js';
import { sumLine } from '../manifest/checksums.js';

const pieceChars = 64 * 1024;

/** SHA256SUMS while it grows: told line by line, read once at the end. */
export class SumsBuffer {
  readonly #spill: SpillBuffer;
  readonly #hash = createHash('sha256');
  #lines = '';
  #adding: Promise<void> = Promise.resolve();

  /** `scratch`: a private folder for what does not fit into memory. */
  constructor(scratch: string) {
    this.#spill = new SpillBuffer(scratch);
  }

  add(sum: EntrySum): void {
    this.#lines += sumLine(sum);
    if (this.#lines.length >= pieceChars) this.#flush();
  }

  /** All lines are in; rejects where they could not be kept. */
  async end(): Promise<{ readonly bytes: number; readonly hash: string }> {
    this.#flush();
    await this.#adding;
    return { bytes: this.#spill.length, hash: `sha256:${this.#hash.digest('hex')}` };
  }

  read(): AsyncGenerator<Buffer> {
    return this.#spill.read();
  }

  close(): Promise<void> {
    return this.#spill.close();
  }

  #flush(): void {
    const piece = Buffer.from(this.#lines);
    this.#lines = '';
    this.#hash.update(piece);
    this.#adding = this.#adding.then(() => this.#spill.add(piece));
    // Told by `end`; until then it must not count as unhandled.
    this.#adding.catch(() => undefined);
  }
}
