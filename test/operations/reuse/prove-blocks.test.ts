import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Container, PackedPlace } from '../../../src/archive/archive.js';
import type { ByteSource } from '../../../src/base/byte-source.js';
import { ArchiveDamage } from '../../../src/base/damage.js';
import { blockSize } from '../../../src/base/limits.js';
import { callingThread } from '../../../src/compress/compressor.js';
import { packedSum } from '../../../src/compress/packed-sum.js';
import { partlyKnown, proveBlocks } from '../../../src/operations/reuse/prove-blocks.js';
import { bytes } from '../../helpers/tree.js';

const size = 3 * blockSize + 5;
const about = { path: 'app.db', size, container: 'zip' } as const;

/** A file of four blocks as it lies in an archive from its beginning on. */
async function packed(content: Buffer, container: Container = 'zip'): Promise<{ place: PackedPlace; archive: Buffer }> {
  const pieces = [0, 1, 2, 3].map((index) => content.subarray(index * blockSize, (index + 1) * blockSize));
  const deflated = await Promise.all(
    pieces.map((piece, index) =>
      container === 'zip'
        ? callingThread.run('deflate-block', { data: Buffer.from(piece), level: 1, last: index === 3 })
        : callingThread.run('gzip-member', { data: Buffer.from(piece), level: 1 }),
    ),
  );
  const data = deflated.map((one) => Buffer.from(one.data));
  const blocks = {
    sizes: data.map(({ length }) => length),
    sums: Buffer.concat(data.map(packedSum)),
    contents: Buffer.concat(pieces.map((piece) => createHash('sha256').update(piece).digest())),
    head: Buffer.alloc(0),
    tail: Buffer.alloc(0),
  };
  const archive = Buffer.concat(data);
  return { place: { offset: 0, length: archive.length, method: 8, crc: 0, sum: undefined, blocks }, archive };
}

const sourceOf = (archive: Buffer): ByteSource => ({
  name: 'archive',
  size: archive.length,
  read: async (at, length) => {
    if (at + length > archive.length) throw new ArchiveDamage('truncated', 'it ends before');
    return Buffer.from(archive.subarray(at, at + length));
  },
  close: async () => undefined,
});

/** Text, so that it is deflated and not stored. */
const content = Buffer.from(bytes(size).toString('hex').slice(0, size));
const changed = Buffer.from(content);
changed.fill('x', 2 * blockSize, 2 * blockSize + 100);

describe('a file of which an earlier archive has most blocks', () => {
  it('has as new blocks those that differ', async () => {
    const [before, now] = [await packed(content), await packed(changed)];
    expect(partlyKnown(about, now.place, before.place)?.fresh).toEqual([2]);
    expect(partlyKnown(about, now.place, now.place)?.fresh).toEqual([]);
  });

  it('is decoded whole where most are new, or nothing is known of them', async () => {
    const [before, now] = [await packed(content), await packed(Buffer.alloc(size, 'y'))];
    expect(partlyKnown(about, now.place, before.place)).toBeUndefined();
    const unknown = { ...before.place, blocks: { ...before.place.blocks!, contents: undefined } };
    expect(partlyKnown(about, before.place, unknown)).toBeUndefined();
    const sealed = { ...before.place, blocks: { ...before.place.blocks!, head: Buffer.alloc(18) } };
    expect(partlyKnown(about, sealed, sealed)).toBeUndefined();
  });

  it.each(['zip', 'tar.gz'] as const)('is proven by decoding the new ones, in a %s', async (container) => {
    const [before, now] = [await packed(content, container), await packed(changed, container)];
    const partly = partlyKnown({ ...about, container }, now.place, before.place)!;
    expect(await proveBlocks(sourceOf(now.archive), callingThread, partly)).toBeUndefined();
    const at = now.place.blocks!.sizes.slice(0, 2).reduce((sum, one) => sum + one, 0);
    for (const behind of [10, 200]) {
      const damaged = Buffer.from(now.archive);
      damaged[at + behind] = (damaged[at + behind] ?? 0) ^ 1;
      const fault = await proveBlocks(sourceOf(damaged), callingThread, partly);
      expect(['checksum-mismatch', 'content-undecodable']).toContain(fault?.id);
      expect(fault?.path).toBe('app.db');
    }
    // The old one's, whole and sound, in its place.
    const other = await proveBlocks(sourceOf(before.archive), callingThread, {
      ...partly,
      place: { ...before.place, blocks: { ...before.place.blocks!, contents: now.place.blocks!.contents } },
    });
    expect(other?.id).toBe('checksum-mismatch');
    const cut = await proveBlocks(sourceOf(now.archive.subarray(0, at + 5)), callingThread, partly);
    expect(cut?.id).toBe('truncated');
  });
});
