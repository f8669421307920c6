import { blockSize } from '../../base/limits.js';

/** Where the blocks of a large entry lie in its deflate stream, for reading it on all cores. */
export interface BlockIndex {
  /** Bytes of content in each of the pieces that are told; the last one has the rest. */
  readonly unit: number;
  /** Compressed sizes of the pieces, one behind the other. */
  readonly sizes: readonly number[];
}

/**
 * Blocks in a piece, at most: pieces are held in memory. Together with the room of the extra field that is enough for
 * entries of up to 127 GiB.
 */
export const maxBlocksInPiece = 8;

/** The finest index with at most `most` pieces: of single blocks, of two, four or eight; undefined where none is coarse enough. */
export function indexOfBlocks(blocks: readonly number[], most: number): BlockIndex | undefined {
  for (let each = 1; each <= maxBlocksInPiece; each *= 2) {
    if (Math.ceil(blocks.length / each) <= most) return { unit: each * blockSize, sizes: joined(blocks, each) };
  }
  return undefined;
}

function joined(blocks: readonly number[], each: number): readonly number[] {
  if (each === 1) return blocks;
  const sizes: number[] = [];
  blocks.forEach((bytes, index) => {
    const at = Math.floor(index / each);
    sizes[at] = (sizes[at] ?? 0) + bytes;
  });
  return sizes;
}
