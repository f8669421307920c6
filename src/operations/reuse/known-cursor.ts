import { compareBytes } from '../../base/entry-path.js';
import { pathOf, type KnownRecord } from '../../archive/known/known-record.js';

/** Goes through what is remembered of a source beside its walk: both are in archive order. */
export class KnownCursor {
  readonly #pieces: AsyncIterator<readonly KnownRecord[]>;
  #piece: readonly KnownRecord[] = [];
  #next = 0;
  #isAtEnd = false;

  constructor(pieces: AsyncIterable<readonly KnownRecord[]>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** What is remembered of the entry at this path, or of a member that begins with it; undefined where nothing is. Asked in archive order. */
  find(path: string): KnownRecord | undefined | Promise<KnownRecord | undefined> {
    for (; this.#next < this.#piece.length; this.#next += 1) {
      const record = this.#piece[this.#next];
      if (record === undefined) continue;
      const order = compareBytes(pathOf(record), path);
      if (order < 0) continue;
      return order === 0 ? record : undefined;
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
