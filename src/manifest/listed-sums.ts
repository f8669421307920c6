import { hashed } from '../base/hashed.js';
import { createHash } from 'node:crypto';
import { ArchiveDamage } from '../base/damage.js';
import { KeyTable } from '../base/key-table.js';
import { sumLines, SumsFault, type SumLine } from './checksums.js';
import { NameOrder } from './name-order.js';

const sumBytes = 32;

/** Gives SHA256SUMS from its beginning, each time it is called. */
export type SumsSource = () => AsyncIterable<Buffer>;

/** SHA256SUMS after it was read once. */
export interface ScannedSums {
  readonly source: SumsSource;
  /** Of its bytes, lower-case hexadecimal. */
  readonly sha256: string;
  /** Its lines come in the order of an archive, and none of them twice. */
  readonly inOrder: boolean;
  /** What is wrong with its lines, if it can be told without holding them. */
  readonly fault: SumsFault | undefined;
}

export async function scanSums(source: SumsSource): Promise<ScannedSums> {
  const hash = createHash('sha256');
  const order = new NameOrder();
  let inOrder = true;
  try {
    for await (const lines of sumLines(hashed(source(), hash))) {
      inOrder &&= lines.every(({ path }) => order.follows(path, false));
    }
    return { source, sha256: hash.digest('hex'), inOrder, fault: undefined };
  } catch (error) {
    if (!(error instanceof SumsFault)) throw error;
    const whole = createHash('sha256');
    for await (const chunk of source()) whole.update(chunk);
    return { source, sha256: whole.digest('hex'), inOrder, fault: error };
  }
}

/**
 * SHA256SUMS as an archive holds it. It is read again wherever it is needed, instead of being held: it has a line for each
 * file, and there may be millions. Who needs its lines in another order than theirs gets a table.
 */
export class ListedSums {
  readonly #scanned: ScannedSums;
  #table: Promise<SumsTable> | undefined;

  private constructor(scanned: ScannedSums) {
    this.#scanned = scanned;
  }

  /** Throws `SumsFault` where its lines are not such ones, or one file has two. */
  static async of(scanned: ScannedSums): Promise<ListedSums> {
    if (scanned.fault !== undefined) throw scanned.fault;
    const sums = new ListedSums(scanned);
    // Only a table tells then whether a name is there twice.
    if (!scanned.inOrder) await sums.table();
    return sums;
  }

  /** Its lines come in the order of an archive. */
  get inOrder(): boolean {
    return this.#scanned.inOrder;
  }

  /** Throws `ArchiveDamage` at the end where it is not what was read before. */
  async *lines(): AsyncGenerator<readonly SumLine[]> {
    const hash = createHash('sha256');
    const { source, sha256 } = this.#scanned;
    try {
      yield* sumLines(hashed(source(), hash));
    } catch (error) {
      if (error instanceof SumsFault) throw changed();
      throw error;
    }
    if (hash.digest('hex') !== sha256) throw changed();
  }

  table(): Promise<SumsTable> {
    return (this.#table ??= SumsTable.of(this.lines()));
  }
}

const changed = (): ArchiveDamage =>
  new ArchiveDamage('structure-invalid', 'it changed while the archive was read', 'SHA256SUMS');

/** All sums by the path of the file: 56 bytes for each. */
export class SumsTable {
  readonly #table = new KeyTable(sumBytes);

  /** Throws `SumsFault` where a name is there twice. */
  static async of(lists: AsyncIterable<readonly SumLine[]>): Promise<SumsTable> {
    const sums = new SumsTable();
    let number = 1;
    for await (const lines of lists) {
      for (const line of lines) {
        if (sums.of(line.path) !== undefined) throw new SumsFault(`line ${number} names ${line.path} again`);
        sums.#table.room(line.path).write(line.sha256, 'hex');
        number += 1;
      }
    }
    return sums;
  }

  /** Lower-case hexadecimal; undefined where it is not listed. */
  of(path: string): string | undefined {
    return this.#table.find(path)?.toString('hex');
  }
}
