import type { EarlierBlocks, PackedFile } from '../archive.js';
import type { LargeEntry } from './entry-fields.js';
import type { LargeSeal } from './large-seal.js';
import type { Compressor } from '../../compress/compressor.js';
import type { TracedBlock } from '../../compress/jobs.js';
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

/** Deflates the blocks of one large entry, unless an earlier archive has them, and encrypts them. */
export class BlockPacker {
  readonly #seal: LargeSeal | undefined;
  readonly #earlier: EarlierBlocks | undefined;
  readonly #packing: Packing;
  #next = 0;

  constructor({ seal, earlier }: LargeEntry, packing: Packing) {
    this.#seal = seal;
    this.#earlier = earlier;
    this.#packing = packing;
  }

  /** Called with the blocks in their order; `block` is given away. */
  pack(block: Uint8Array, last: boolean): Promise<PackedBlock> {
    const deflated = this.#deflated(block, this.#next++, last);
    // Asked at once: the seal has to be asked in the order of the blocks.
    return this.#seal === undefined ? deflated : sealed(this.#seal, deflated, this.#packing.traced);
  }

  async #deflated(block: Uint8Array, index: number, last: boolean): Promise<PackedBlock> {
    const { pool, level, traced } = this.#packing;
    const job = { data: block, level, last };
    if (!traced) return { packed: (await pool.run('deflate-block', job)).data, trace: {} };
    const known = this.#earlier?.content(index, last);
    const wanted = { sum: this.#seal === undefined, content: this.#earlier !== undefined };
    const trace = known === undefined ? wanted : { ...wanted, known };
    const { data, isKnown = false, ...found } = await pool.run('deflate-block', { ...job, trace });
    if (!isKnown) return { packed: data, trace: found };
    const earlier = await this.#earlier?.read(index);
    if (earlier === undefined) {
      // What the earlier archive has there is damaged.
      const { data: packed, ...anew } = await pool.run('deflate-block', { data, level, last, trace: wanted });
      return { packed, trace: anew };
    }
    pool.spare(data);
    const { packed, sum } = earlier;
    return { packed, trace: sum === undefined ? found : { ...found, sum } };
  }
}

async function sealed(seal: LargeSeal, deflated: Promise<PackedBlock>, traced: boolean): Promise<PackedBlock> {
  const { data, sum } = await seal.encrypt(
    deflated.then(({ packed }) => ({ data: packed })),
    traced,
  );
  const { trace } = await deflated;
  return { packed: data, trace: sum === undefined ? trace : { ...trace, sum } };
}

/** What is known of the blocks of an entry that is taken over. */
export function takenTraces({ place: { blocks } }: PackedFile): readonly TracedBlock[] {
  if (blocks === undefined) return [];
  const { sizes, sums, contents } = blocks;
  return sizes.map((_size, index) => ({
    sum: sums.subarray(index * packedSumBytes, (index + 1) * packedSumBytes),
    ...(contents === undefined ? {} : { content: contents.subarray(index * 32, (index + 1) * 32) }),
  }));
}
