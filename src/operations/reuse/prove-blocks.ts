import { createHash } from 'node:crypto';
import type { Container, PackedBlocks, PackedPlace } from '../../archive/archive.js';
import { blockStarts } from '../../archive/blocks-place.js';
import { contentSumAt, packedSumAt } from '../../archive/block-sums.js';
import { memberSize } from '../../archive/tar/trailer.js';
import type { ByteSource } from '../../base/byte-source.js';
import { concurrently } from '../../base/concurrently.js';
import { ArchiveDamage } from '../../base/damage.js';
import { errorText } from '../../base/errors.js';
import { blockSize } from '../../base/limits.js';
import { memberHeaderBytes } from '../../compress/deflate.js';
import { JobFailure, type Compressor } from '../../compress/compressor.js';
import { finding, type Finding } from '../../manifest/findings.js';

/** A large file of which an earlier archive, proven, has most blocks. */
export interface PartlyKnown {
  readonly path: string;
  /** Bytes of content. */
  readonly size: number;
  readonly container: Container;
  readonly place: PackedPlace;
  /** Numbers of the blocks that are new. */
  readonly fresh: readonly number[];
}

/** Beyond this share of new blocks, decoding all of them is as fast. */
const mostFresh = 0.5;

/** Undefined where it is to be decoded as a whole. `earlier`: the file in the earlier archive, proven there. */
export function partlyKnown(
  about: Pick<PartlyKnown, 'path' | 'size' | 'container'>,
  place: PackedPlace,
  earlier: PackedPlace,
): PartlyKnown | undefined {
  const [now, before] = [place.blocks, earlier.blocks];
  if (now?.contents === undefined || before?.contents === undefined || now.head.length > 0) return undefined;
  const fresh = now.sizes.flatMap((_size, index) => (isSameBlock(now, before, index) ? [] : [index]));
  return fresh.length <= now.sizes.length * mostFresh ? { ...about, place, fresh } : undefined;
}

/** By both sums: of what lies in the archive, and of what it was made from. */
function isSameBlock(now: PackedBlocks, before: PackedBlocks, index: number): boolean {
  const isSame = (a: Buffer | undefined, b: Buffer | undefined): boolean =>
    a !== undefined && b !== undefined && a.length > 0 && a.equals(b);
  return (
    isSame(packedSumAt(now, index), packedSumAt(before, index)) &&
    isSame(contentSumAt(now, index), contentSumAt(before, index))
  );
}

async function decoded(
  packed: Buffer,
  job: { readonly size: number; readonly last: boolean },
  container: Container,
  pool: Compressor,
): Promise<Uint8Array> {
  if (container === 'zip') return (await pool.run('inflate-block', { data: packed, ...job })).data;
  if (memberSize(packed.subarray(0, memberHeaderBytes)) !== packed.length)
    throw new JobFailure('its header is damaged');
  return (await pool.run('gunzip-member', { data: packed, maxBytes: job.size })).data;
}

/** Decodes the new blocks out of the archive, side by side, and compares them with the content they were made from; the first fault, if any. */
export async function proveBlocks(
  archive: ByteSource,
  pool: Compressor,
  { path, size, container, place, fresh }: PartlyKnown,
): Promise<Finding | undefined> {
  const { blocks, offset } = place;
  if (blocks?.contents === undefined) throw new Error(`${path} has no blocks to prove`);
  const starts = blockStarts(blocks.sizes, offset + blocks.head.length);
  const prove = async (index: number): Promise<Finding | undefined> => {
    const last = index === blocks.sizes.length - 1;
    const job = { size: last ? size - index * blockSize : blockSize, last };
    try {
      const packed = await archive.read(starts[index] ?? 0, blocks.sizes[index] ?? 0);
      const data = await decoded(packed, job, container, pool);
      const expected = contentSumAt(blocks, index);
      if (expected?.equals(createHash('sha256').update(data).digest()) === true) return undefined;
      return finding('checksum-mismatch', `its block ${index + 1} is not what was read`, { path });
    } catch (error) {
      if (error instanceof ArchiveDamage) return finding(error.id, error.message, { path });
      if (!(error instanceof JobFailure)) throw error;
      return finding('content-undecodable', `its block ${index + 1} cannot be inflated: ${errorText(error)}`, { path });
    }
  };
  const found = await concurrently(fresh, pool.width + 1, prove);
  return found.find((fault) => fault !== undefined);
}
