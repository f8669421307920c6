import type { EarlierBlocks, PackedFile } from '../archive.js';
import type { LargeEntry } from './entry-fields.js';
import type { Compressor } from '../../compress/compressor.js';
import type { JobMap, TracedBlock } from '../../compress/jobs.js';
import { packedSumBytes } from '../../compress/packed-sum.js';

export interface PackedBlock {
  readonly packed: Uint8Array;
  readonly trace: TracedBlock;
}

export interface Packing {
  readonly pool: Compressor;
  /** 0 to 9. */
  readonly level: number;
  readonly traced: boolean;
}

/** Deflates (and encrypts) the blocks of one large entry, unless an earlier archive has them. */
export class BlockPacker {
  readonly #entry: LargeEntry;
  readonly #packing: Packing;
  readonly #earlier: EarlierBlocks | undefined;
  #next = 0;

  constructor(entry: LargeEntry, packing: Packing, earlier: EarlierBlocks | undefined) {
    this.#entry = entry;
    this.#packing = packing;
    this.#earlier = earlier;
  }

  /** Called with the blocks in their order; `block` is given away. */
  async pack(block: Uint8Array, last: boolean): Promise<PackedBlock> {
    const index = this.#next++;
    const { pool, level, traced } = this.#packing;
    const job = { data: block, level, last };
    if (!traced) {
      const deflated = pool.run('deflate-block', job);
      const { seal } = this.#entry;
      return { packed: (await (seal?.encrypt(deflated, false) ?? deflated)).data, trace: {} };
    }
    const known = this.#earlier?.content(index, last);
    const trace = { content: this.#earlier !== undefined, ...(known === undefined ? {} : { known }) };
    return this.#traced(pool.run('deflate-block', { ...job, trace }), { index, level, last });
  }

  async #traced(deflated: Deflated, at: { index: number; level: number; last: boolean }): Promise<PackedBlock> {
    const { seal } = this.#entry;
    if (seal !== undefined) {
      const { data, sum } = await seal.encrypt(deflated, true);
      return { packed: data, trace: sum === undefined ? {} : { sum } };
    }
    const { data, isKnown = false, ...trace } = await deflated;
    if (!isKnown) return { packed: data, trace };
    const { index, level, last } = at;
    const earlier = await this.#earlier?.read(index);
    if (earlier !== undefined) {
      this.#packing.pool.spare(data);
      return { packed: earlier.packed, trace: { ...trace, sum: earlier.sum } };
    }
    // What the earlier archive has there is damaged.
    return this.#traced(this.#packing.pool.run('deflate-block', { data, level, last, trace: { content: true } }), at);
  }
}

type Deflated = Promise<JobMap['deflate-block']['out']>;

/** What is known of the blocks of an entry that is taken over. */
export function takenTraces({ place: { blocks } }: PackedFile): readonly TracedBlock[] {
  if (blocks === undefined) return [];
  const { sizes, sums, contents } = blocks;
  return sizes.map((_size, index) => ({
    sum: sums.subarray(index * packedSumBytes, (index + 1) * packedSumBytes),
    ...(contents === undefined ? {} : { content: contents.subarray(index * 32, (index + 1) * 32) }),
  }));
}
