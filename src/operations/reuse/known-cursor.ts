import { compareBytes } from '../../base/entry-path.js';
import type { KnownEntry } from '../../archive/known/known-entry.js';

/** Goes through the remembered entries of a source beside its walk: both are in archive order. */
export class KnownCursor {
  readonly #pieces: AsyncIterator<readonly KnownEntry[]>;
  #piece: readonly KnownEntry[] = [];
  #next = 0;
  #isAtEnd = false;

  constructor(pieces: AsyncIterable<readonly KnownEntry[]>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** What is remembered of the file at this path; undefined where nothing is. Asked in archive order. */
  find(path: string): KnownEntry | undefined | Promise<KnownEntry | undefined> {
    for (; this.#next < this.#piece.length; this.#next += 1) {
      const entry = this.#piece[this.#next];
      if (entry === undefined || compareBytes(entry.path, path) < 0) continue;
      return entry.path === path ? entry : undefined;
    }
    return this.#isAtEnd ? undefined : this.#load().then(() => this.find(path));
  }

  async #load(): Promise<void> {
    try {
      const next = await this.#pieces.next();
      this.#isAtEnd = next.done === true;
      this.#piece = next.done === true ? [] : next.value;
    } catch {
      // What cannot be read is as if it were not there.
      this.#isAtEnd = true;
      this.#piece = [];
    }
    this.#next = 0;
  }
}
