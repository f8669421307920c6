import { createHash } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { PackedPlace } from '../../../src/archive/archive.js';
import { LargeSeal } from '../../../src/archive/zip/large-seal.js';
import { Passphrase } from '../../../src/base/passphrase.js';
import { CompressPool } from '../../../src/compress/pool.js';
import { packedSum } from '../../../src/compress/packed-sum.js';
import { SharedSecret } from '../../../src/compress/shared-secret.js';
import { DatabaseBlocks } from '../../../src/operations/reuse/database-blocks.js';
import { bytes } from '../../helpers/tree.js';

const pool = new CompressPool(2);
afterAll(() => pool.close());

const passphrase = new Passphrase(Buffer.from('a long passphrase'));
// Lengths that are no multiples of an AES block: the second begins in the middle of one.
const contents = [1, 2, 3].map((seed) => Buffer.from(bytes(10_001 * seed, seed).toString('hex')));
const before = 77;

interface Archived {
  readonly archive: Buffer;
  readonly place: PackedPlace;
}

/** As it lies in an archive, behind other bytes; encrypted where there is a passphrase. */
async function archived(sealedWith: Passphrase | undefined): Promise<Archived> {
  const seal = sealedWith === undefined ? undefined : new LargeSeal(pool, new SharedSecret(sealedWith));
  const packed: Buffer[] = [];
  for (const [index, content] of contents.entries()) {
    const deflated = pool.run('deflate-block', { data: Buffer.from(content), level: 6, last: index === 2 });
    packed.push(Buffer.from((await (seal?.encrypt(deflated, false) ?? deflated)).data));
  }
  const head = seal?.head ?? Buffer.alloc(0);
  const blocks = {
    sizes: packed.map(({ length }) => length),
    sums: Buffer.concat(packed.map(packedSum)),
    contents: Buffer.concat(contents.map((content) => createHash('sha256').update(content).digest())),
    head,
    tail: Buffer.alloc(0),
  };
  const archive = Buffer.concat([Buffer.alloc(before), head, ...packed]);
  return { archive, place: { offset: before, length: 0, method: 8, crc: 0, sum: undefined, blocks } };
}

const blocksOf = ({ archive, place }: Archived, opening: Passphrase | undefined): DatabaseBlocks =>
  new DatabaseBlocks({
    place,
    pool,
    passphrase: opening,
    read: async (start, size, sum) => {
      const found = Buffer.from(archive.subarray(start, start + size));
      return packedSum(found).equals(sum) ? found : undefined;
    },
  });

/** A block that a full flush ended can be inflated although the stream goes on. */
const inflated = (packed: Buffer): Buffer => inflateRawSync(packed, { finishFlush: 2 });

describe('the blocks of a database in an earlier archive', () => {
  it.each([undefined, passphrase])(
    'are given as they were before they were encrypted, in any order',
    async (sealed) => {
      const blocks = blocksOf(await archived(sealed), sealed);
      for (const index of [2, 0, 1]) {
        const block = await blocks.read(index);
        expect(inflated(block!.packed).equals(contents[index]!)).toBe(true);
        expect(block!.sum === undefined).toBe(sealed !== undefined);
      }
      expect(await blocks.read(3)).toBeUndefined();
      blocks.forget();
    },
  );

  it('are known by their content, the last one only as the last', async () => {
    const blocks = blocksOf(await archived(undefined), undefined);
    const sum = createHash('sha256').update(contents[1]!).digest();
    expect(Buffer.from(blocks.content(1, false)!).equals(sum)).toBe(true);
    expect([blocks.content(1, true), blocks.content(2, false), blocks.content(3, true)]).toEqual(
      Array.from({ length: 3 }, () => undefined),
    );
    expect(blocks.content(2, true)).toBeDefined();
  });

  it('are not given where they are damaged', async () => {
    const { archive, place } = await archived(passphrase);
    const at = before + place.blocks!.head.length + place.blocks!.sizes[0]! + 5;
    archive[at] = (archive[at] ?? 0) ^ 1;
    const blocks = blocksOf({ archive, place }, passphrase);
    expect(await blocks.read(0)).toBeDefined();
    expect(await blocks.read(1)).toBeUndefined();
  });

  it('are not given to another passphrase, to none, or where the verifier is another', async () => {
    const there = await archived(passphrase);
    // By chance, one in 65,536 has the same verifier.
    const others = ['another', 'a third one'].map((words) => new Passphrase(Buffer.from(words)));
    const found = await Promise.all(others.map((other) => blocksOf(there, other).read(0)));
    expect(found).toContain(undefined);
    expect(await blocksOf(there, undefined).read(0)).toBeUndefined();
    const head = Buffer.from(there.place.blocks!.head);
    head[17] = (head[17] ?? 0) ^ 1;
    const archive = { ...there, place: { ...there.place, blocks: { ...there.place.blocks!, head } } };
    expect(await blocksOf(archive, passphrase).read(0)).toBeUndefined();
  });

  it('are neither known nor given once they are forgotten', async () => {
    const blocks = blocksOf(await archived(passphrase), passphrase);
    expect(await blocks.read(0)).toBeDefined();
    blocks.forget();
    expect(blocks.content(0, false)).toBeUndefined();
    expect(await blocks.read(0)).toBeUndefined();
  });
});
