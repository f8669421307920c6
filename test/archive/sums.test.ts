import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inBlocks, metered } from '../../src/archive/sums.js';
import { ArchiveDamage } from '../../src/base/damage.js';
import { ownMemory } from '../../src/base/own-memory.js';
import { BlockMemory } from '../../src/compress/block-memory.js';
import { collect, file, inChunks, noise, sha256 } from './tar/archives.js';

describe('metered', () => {
  it('hands all bytes on and tells their sum when they end', async () => {
    for (const size of [0, 1, 1000]) {
      const content = noise(size);
      let told: string | undefined;
      const chunks = metered(file('a', content).header, inChunks(content, 7), (sum) => (told = sum));
      expect((await collect(chunks)).equals(content)).toBe(true);
      expect(told).toBe(sha256(content));
    }
  });

  it('throws where there is more or less than the header says, and never tells a sum then', async () => {
    for (const [size, found] of [
      [9, 'more'],
      [11, '10'],
      [0, 'more'],
    ] as const) {
      const content = Buffer.alloc(10);
      const header = { ...file('uploads/a', content).header, size };
      const unheard = (): never => {
        throw new Error('a sum was told');
      };
      let handedOn = 0;
      const read = async (): Promise<void> => {
        for await (const chunk of metered(header, inChunks(content, 3), unheard)) handedOn += chunk.length;
      };
      const damage = await read().catch((error: unknown) => error);
      expect(damage).toBeInstanceOf(ArchiveDamage);
      expect(damage).toMatchObject({ id: 'size-mismatch', path: 'uploads/a' });
      expect((damage as Error).message).toBe(`expected ${size} bytes, found ${found}`);
      expect(handedOn).toBeLessThanOrEqual(size);
    }
  });

  it('stops reading what does not end', async () => {
    let given = 0;
    const endless = async function* (): AsyncGenerator<Buffer> {
      for (;;) yield await Promise.resolve(Buffer.alloc((given += 1)));
    };
    const chunks = metered({ ...file('a', '').header, size: 10 }, endless(), () => undefined);
    await expect(collect(chunks)).rejects.toMatchObject({ id: 'size-mismatch' });
    expect(given).toBeLessThan(10);
  });

  it('throws what reading throws', async () => {
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield await Promise.resolve(Buffer.alloc(3));
      throw new Error('cannot be read');
    };
    await expect(collect(metered(file('a', 'abc').header, failing(), () => undefined))).rejects.toThrow('cannot be');
  });
});

describe('inBlocks', () => {
  it('cuts any chunks into blocks of one size and a rest, each in memory of its own', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        async (pieces, blockBytes, own) => {
          const all = Buffer.concat(pieces);
          // Chunks that are memory of their own, and chunks that are views into more.
          const chunks = async function* (): AsyncGenerator<Buffer> {
            for (const piece of pieces) {
              const slow = Buffer.allocUnsafeSlow(piece.length);
              slow.set(piece);
              yield await Promise.resolve(own ? slow : Buffer.from(piece));
            }
          };
          const blocks: Buffer[] = [];
          for await (const block of inBlocks(chunks(), blockBytes, ownMemory)) blocks.push(block);
          expect(Buffer.concat(blocks)).toEqual(all);
          expect(blocks).toHaveLength(Math.ceil(all.length / blockBytes));
          for (const block of blocks.slice(0, -1)) expect(block).toHaveLength(blockBytes);
          for (const block of blocks) expect(block.byteOffset).toBe(0);
          expect(new Set(blocks.map(({ buffer }) => buffer)).size).toBe(blocks.length);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('takes over the memory of a pool, and leaves all other memory alone', async () => {
    const memory = new BlockMemory(0);
    const given = (text: string): Buffer => {
      const room = memory.take(text.length);
      room.write(text);
      return room;
    };
    const [whole, begun, view] = [given('abcd'), given('ef'), Buffer.from('ghij')];
    const chunks = async function* (): AsyncGenerator<Buffer> {
      for (const chunk of [whole, begun, view]) yield await Promise.resolve(chunk);
    };
    const blocks: string[] = [];
    for await (const block of inBlocks(chunks(), 4, ownMemory)) {
      blocks.push(block.toString());
      // As a thread takes it.
      structuredClone(block, { transfer: [block.buffer as ArrayBuffer] });
    }
    expect(blocks).toEqual(['abcd', 'efgh', 'ij']);
    expect([whole.length, begun.length]).toEqual([0, 0]);
    expect(view.toString()).toBe('ghij');
  });
});
