import type { EntrySum } from '../archive.js';

/** Passes sums on in the order of the archive, although that of a large file is known only when its last block is written. */
export class OrderedSums {
  readonly #onSum: (sum: EntrySum) => void;
  readonly #waiting: { sum: EntrySum | undefined }[] = [];

  constructor(onSum: (sum: EntrySum) => void) {
    this.#onSum = onSum;
  }

  add(sum: EntrySum): void {
    if (this.#waiting.length === 0) this.#onSum(sum);
    else this.#waiting.push({ sum });
  }

  /** For one that comes later, in this place: to be called with it. */
  later(): (sum: EntrySum) => void {
    const place: { sum: EntrySum | undefined } = { sum: undefined };
    this.#waiting.push(place);
    return (sum) => {
      place.sum = sum;
      this.#pass();
    };
  }

  #pass(): void {
    for (let first = this.#waiting[0]; first?.sum !== undefined; first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#onSum(first.sum);
    }
  }
}
