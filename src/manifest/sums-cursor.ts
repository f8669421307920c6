import type { SumLine } from './checksums.js';
import type { ListedSums, SumsTable } from './listed-sums.js';

/** SHA256SUMS in step with the files of the archive, whose order it has. */
export class SumsCursor {
  readonly #lists: AsyncGenerator<readonly SumLine[]>;
  #lines: readonly SumLine[] = [];
  #next = 0;
  #ended = false;

  constructor(sums: ListedSums) {
    this.#lists = sums.lines();
  }

  /** To be awaited before `take`, unless it is undefined: then nothing has to be read. */
  ready(): Promise<void> | undefined {
    return this.#next < this.#lines.length || this.#ended ? undefined : this.#load();
  }

  /** The sum of the next line, where that is about this file: the line is passed then. */
  take(path: string): string | undefined {
    const line = this.#lines[this.#next];
    if (line?.path !== path) return undefined;
    this.#next += 1;
    return line.sha256;
  }

  /** The lines that were not taken, to the end. */
  async *rest(): AsyncGenerator<SumLine> {
    for (;;) {
      await this.ready();
      const line = this.#lines[this.#next];
      if (line === undefined) return;
      this.#next += 1;
      yield line;
    }
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.#lines = [];
    await this.#lists.return(undefined);
  }

  async #load(): Promise<void> {
    while (this.#next >= this.#lines.length && !this.#ended) {
      const next = await this.#lists.next();
      this.#ended = next.done === true;
      this.#lines = next.done === true ? [] : next.value;
      this.#next = 0;
    }
  }
}

/** The sum of one file after the other; fastest in archive order. Of those that come in another one, a table is made. */
export class SumsInTurn {
  readonly #sums: ListedSums;
  readonly #cursor: SumsCursor;
  #table: SumsTable | undefined;

  constructor(sums: ListedSums) {
    this.#sums = sums;
    this.#cursor = new SumsCursor(sums);
  }

  /** Lower-case hexadecimal; undefined where the file is not listed. */
  async of(path: string): Promise<string | undefined> {
    if (this.#table === undefined) {
      await this.#cursor.ready();
      const next = this.#cursor.take(path);
      if (next !== undefined) return next;
      this.#table = await this.#sums.table();
      await this.#cursor.close();
    }
    return this.#table.of(path);
  }

  close(): Promise<void> {
    return this.#cursor.close();
  }
}
