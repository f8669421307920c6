import type { EarlierBlocks, PackedFile } from './archive.js';
import { contentSumAt, packedSumAt } from './block-sums.js';
import type { Compressor } from '../compress/compressor.js';
import type { BlockTrace, TracedBlock } from '../compress/jobs.js';

export interface PackedBlock {
  readonly packed: Uint8Array;
  readonly trace: TracedBlock;
}

/** Encrypts the blocks of one file in their order. */
interface BlockSeal {
  encrypt(
    deflated: Promise<{ readonly data: Uint8Array }>,
    traced: boolean,
  ): Promise<{ readonly data: Uint8Array; readonly sum?: Uint8Array }>;
}

export interface Packing {
  readonly pool: Compressor;
  /** Compresses a block as the container has it; see `JobMap`. */
  readonly compress: (
    data: Uint8Array,
    last: boolean,
    trace?: BlockTrace,
  ) => Promise<TracedBlock & { readonly data: Uint8Array; readonly isKnown?: boolean }>;
  readonly traced: boolean;
  readonly seal?: BlockSeal | undefined;
  readonly earlier?: EarlierBlocks | undefined;
}

/** Compresses the blocks of one large file, unless an earlier archive has them, and encrypts them. */
export class BlockPacker {
  readonly #packing: Packing;
  #next = 0;

  constructor(packing: Packing) {
    this.#packing = packing;
  }

  /** Called with the blocks in their order; `block` is given away. */
  pack(block: Uint8Array, last: boolean): Promise<PackedBlock> {
    const { seal, traced } = this.#packing;
    const compressed = this.#compressed(block, this.#next++, last);
    // Asked at once: the seal has to be asked in the order of the blocks.
    return seal === undefined ? compressed : sealed(seal, compressed, traced);
  }

  async #compressed(block: Uint8Array, index: number, last: boolean): Promise<PackedBlock> {
    const { pool, compress, traced, seal, earlier } = this.#packing;
    if (!traced) return { packed: (await compress(block, last)).data, trace: {} };
    const known = earlier?.content(index, last);
    const wanted = { sum: seal === undefined, content: earlier !== undefined };
    const trace = known === undefined ? wanted : { ...wanted, known };
    const { data, isKnown = false, ...found } = await compress(block, last, trace);
    if (!isKnown) return { packed: data, trace: found };
    const taken = await earlier?.read(index);
    if (taken === undefined) {
      // What the earlier archive has there is damaged.
      const { data: packed, ...anew } = await compress(data, last, wanted);
      return { packed, trace: anew };
    }
    pool.spare(data);
    const { packed, sum } = taken;
    return { packed, trace: sum === undefined ? found : { ...found, sum } };
  }
}

async function sealed(seal: BlockSeal, compressed: Promise<PackedBlock>, traced: boolean): Promise<PackedBlock> {
  const { data, sum } = await seal.encrypt(
    compressed.then(({ packed }) => ({ data: packed })),
    traced,
  );
  const { trace } = await compressed;
  return { packed: data, trace: sum === undefined ? trace : { ...trace, sum } };
}

/** What is known of the blocks of an entry that is taken over. */
export function takenTraces({ place: { blocks } }: PackedFile): readonly TracedBlock[] {
  if (blocks === undefined) return [];
  return blocks.sizes.map((_size, index) => {
    const content = contentSumAt(blocks, index);
    return { sum: packedSumAt(blocks, index), ...(content === undefined ? {} : { content }) };
  });
}
