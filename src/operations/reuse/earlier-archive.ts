import type { EarlierBlocks, PackedMember, PackedPlace } from '../../archive/archive.js';
import { packedSumAt } from '../../archive/block-sums.js';
import type { ByteSource } from '../../base/byte-source.js';
import { ArchiveDamage } from '../../base/damage.js';
import { BkpError } from '../../base/errors.js';
import type { Passphrase } from '../../base/passphrase.js';
import { batchRoom } from '../../compress/block-memory.js';
import type { Compressor } from '../../compress/compressor.js';
import { DatabaseBlocks } from './database-blocks.js';

/** What was to be taken over is not what was written: it is read anew. */
export class EarlierDamage extends Error {
  override readonly name = 'EarlierDamage';
}

/** So many bytes between two files are read with them: less than another call costs. */
const gapBytes = 16 * 1024;
/** What a file that is not compressible can grow by in blocks, and more. */
const maxBlockBytes = batchRoom;

/** Small files of an earlier archive. */
export interface Taken {
  /** Their bytes; undefined in the place of those that are damaged. */
  readonly packed: readonly (Buffer | undefined)[];
  /** To be told when none of them is looked at any longer. */
  readonly spent: () => void;
}

/** The archive that was made before, of which packed files are taken over. Nothing of it is trusted: each has its sum. */
export class EarlierArchive {
  readonly #source: ByteSource;
  readonly #pool: Compressor;
  readonly #onDamage: () => void;
  readonly #databases: DatabaseBlocks[] = [];

  /** `onDamage`: told when bytes are not what they were. */
  constructor(source: ByteSource, pool: Compressor, onDamage: () => void) {
    this.#source = source;
    this.#pool = pool;
    this.#onDamage = onDamage;
  }

  /** The packed bytes of small files, in the order of the archive. */
  async take(places: readonly PackedPlace[]): Promise<Taken> {
    const ranges = gathered(places);
    const data = this.#pool.room(ranges.reduce((sum, { start, end }) => sum + end - start, 0));
    const isRead = await this.#unlessDamaged(() => this.#readInto(data, ranges));
    if (isRead === undefined) return { packed: places.map(() => undefined), spent: () => undefined };
    const items = placedIn(ranges);
    const result = await this.#pool.run('compare-sums', { data, items });
    if (result.intact.includes(false)) this.#onDamage();
    const { buffer, byteOffset } = result.data;
    const packed = items.map(({ start, length }, index) =>
      result.intact[index] === true ? Buffer.from(buffer, byteOffset + start, length) : undefined,
    );
    return { packed, spent: () => this.#pool.spare(result.data) };
  }

  /** The packed blocks of a large file. Throws `EarlierDamage`. */
  async *blocks(place: PackedPlace): AsyncGenerator<Buffer> {
    const { blocks } = place;
    if (blocks === undefined) throw new EarlierDamage();
    const running: Promise<Buffer>[] = [];
    const take = async (): Promise<Buffer> => (await running.shift()) ?? Buffer.alloc(0);
    let at = place.offset + blocks.head.length;
    for (const [index, size] of blocks.sizes.entries()) {
      const block = this.#provenBlock(at, size, packedSumAt(blocks, index));
      block.catch(() => undefined);
      running.push(block);
      at += size;
      if (running.length > this.#pool.width) yield await take();
    }
    while (running.length > 0) yield await take();
  }

  /** For a database, which is written anew, block by block. `passphrase`: of this archive. To be forgotten. */
  databaseBlocks(place: PackedPlace, passphrase: Passphrase | undefined): EarlierBlocks {
    const blocks = new DatabaseBlocks({
      place,
      passphrase,
      pool: this.#pool,
      read: (start, size, sum) => this.#intact(start, size, sum),
    });
    this.#databases.push(blocks);
    return blocks;
  }

  /** Small entries that lie together; undefined where they are damaged. */
  member({ offset, length, sum }: PackedMember): Promise<Buffer | undefined> {
    return this.#intact(offset, length, sum);
  }

  /** Wipes the keys of all databases too. */
  async close(): Promise<void> {
    for (const blocks of this.#databases) blocks.forget();
    await this.#source.close();
  }

  async #intact(start: number, size: number, sum: Buffer): Promise<Buffer | undefined> {
    try {
      return await this.#provenBlock(start, size, sum);
    } catch (error) {
      if (!(error instanceof EarlierDamage)) throw error;
      return undefined;
    }
  }

  async #provenBlock(start: number, size: number, sum: Buffer): Promise<Buffer> {
    const data = await this.#unlessDamaged(() => this.#readBlock(start, size));
    if (data === undefined) throw new EarlierDamage();
    const items = [{ start: 0, length: size, sum }];
    const result = await this.#pool.run('compare-sums', { data, items });
    if (result.intact[0] === true) return Buffer.from(result.data.buffer, result.data.byteOffset, size);
    this.#onDamage();
    throw new EarlierDamage();
  }

  /** Its bytes come first in what is given. */
  async #readBlock(start: number, size: number): Promise<Buffer> {
    if (size > maxBlockBytes) throw new EarlierDamage();
    const data = this.#pool.room(size);
    await this.#source.read(start, size, data);
    return data;
  }

  async #readInto(data: Buffer, ranges: readonly Range[]): Promise<true> {
    let at = 0;
    for (const { start, end } of ranges) {
      await this.#source.read(start, end - start, data.subarray(at, at + end - start));
      at += end - start;
    }
    return true;
  }

  /** Undefined where the archive cannot be read there: it became shorter, or its disk fails. */
  async #unlessDamaged<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      const isItsFault = error instanceof ArchiveDamage || error instanceof EarlierDamage || error instanceof BkpError;
      if (!isItsFault) throw error;
      this.#onDamage();
      return undefined;
    }
  }
}

interface Item {
  readonly start: number;
  readonly length: number;
  readonly sum: Buffer;
}

/** Where files lie in what was read of their ranges. */
function placedIn(ranges: readonly Range[]): readonly Item[] {
  let at = 0;
  return ranges.flatMap(({ start, end, of }) => {
    const from = at - start;
    at += end - start;
    return of.map(({ offset, length, sum }) => ({ start: from + offset, length, sum: sum ?? Buffer.alloc(0) }));
  });
}

interface Range {
  readonly start: number;
  end: number;
  readonly of: PackedPlace[];
}

/** Files that lie near each other are read together. */
function gathered(places: readonly PackedPlace[]): readonly Range[] {
  const ranges: Range[] = [];
  for (const place of places) {
    const { offset, length } = place;
    const last = ranges.at(-1);
    if (last !== undefined && offset >= last.end && offset - last.end <= gapBytes) {
      last.end = offset + length;
      last.of.push(place);
    } else ranges.push({ start: offset, end: offset + length, of: [place] });
  }
  return ranges;
}
