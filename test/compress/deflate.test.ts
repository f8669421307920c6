import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { crc32, deflateRawSync, gunzipSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockSize } from '../../src/base/limits.js';
import { BlockMemory } from '../../src/compress/block-memory.js';
import { deflateBatch, deflateBlock, gzipMember } from '../../src/compress/deflate.js';
import { noise } from '../archive/tar/archives.js';

/** Around those where zlib gets a smaller window, too. */
const windows = [762, 763, 1786, 1787, 3834, 3835, 7930, 7931, 16_122, 16_123];
const sizes = [
  0,
  1,
  2,
  63,
  64,
  65,
  ...windows,
  16 * 1024,
  64 * 1024 - 1,
  64 * 1024,
  64 * 1024 + 1,
  blockSize - 1,
  blockSize,
];
const text = (bytes: number): Buffer => Buffer.alloc(bytes, 'some text that repeats, ');
const contents: Readonly<Record<string, (bytes: number) => Buffer>> = {
  zeros: (bytes) => Buffer.alloc(bytes),
  text,
  noise: (bytes) => noise(bytes, bytes + 1),
  'noise with text at its end': (bytes) => Buffer.concat([noise(bytes >> 1), text(bytes - (bytes >> 1))]),
};

const flushMark = Buffer.from([0, 0, 0xff, 0xff]);

describe('deflateBlock', () => {
  for (const [what, make] of Object.entries(contents)) {
    it(`gives a stream of its own at every size and level, of ${what}`, () => {
      for (const size of sizes) {
        for (const level of [0, 1, 6, 9]) {
          const data = make(size);
          const { data: packed } = deflateBlock({ data, level, last: true });
          expect(inflateRawSync(packed).equals(data)).toBe(true);
          expect(packed.length).toBeLessThanOrEqual(size + 5 * Math.ceil(size / 16_000) + 8);
        }
      }
    });
  }

  it('loses nothing by the smaller window that small content gets', () => {
    const words = Buffer.from(Array.from({ length: 9000 }, (_, n) => `${(n * 7919) % 1013} `).join(''));
    for (const size of windows) {
      for (const level of [1, 3, 6, 9]) {
        const data = words.subarray(0, size);
        expect(
          Buffer.from(deflateBlock({ data, level, last: true }).data).equals(deflateRawSync(data, { level })),
        ).toBe(true);
      }
    }
  });

  it('ends every block but the last with one full flush, on a byte, so that each can be inflated alone', () => {
    for (const size of sizes.filter((bytes) => bytes > 0)) {
      for (const level of [0, 6, 9]) {
        const data = text(size);
        const packed = Buffer.from(deflateBlock({ data, level, last: false }).data);
        expect(packed.subarray(-4)).toEqual(flushMark);
        expect(packed.subarray(-9, -5).equals(flushMark)).toBe(false);
        const alone = Buffer.concat([packed, deflateBlock({ data: Buffer.alloc(0), level, last: true }).data]);
        expect(inflateRawSync(alone).equals(data)).toBe(true);
      }
    }
  });

  it('joins to one stream, wherever the content is cut', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 5000 }),
      fc.integer({ min: 0, max: 200_000 }).map(text),
      fc.integer({ min: 0, max: 200_000 }).map((bytes) => noise(bytes)),
    );
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), fc.integer({ min: 0, max: 9 }), (pieces, level) => {
        const blocks = pieces.map((data, at) => deflateBlock({ data, level, last: at === pieces.length - 1 }).data);
        expect(inflateRawSync(Buffer.concat(blocks)).equals(Buffer.concat(pieces))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('does not try to deflate what a sample shows not to shrink, and tries where one of the samples does', () => {
    const media = noise(blockSize);
    const stored = deflateBlock({ data: media, level: 9, last: true }).data;
    expect(Buffer.compare(stored, deflateBlock({ data: media, level: 0, last: true }).data)).toBe(0);
    for (const at of [0, (blockSize - 16 * 1024) >>> 1, blockSize - 16 * 1024]) {
      const mixed = Buffer.from(media);
      mixed.fill('a', at, at + 16 * 1024);
      expect(deflateBlock({ data: mixed, level: 6, last: true }).data.length).toBeLessThan(blockSize - 15 * 1024);
    }
  });
});

/** The same bytes in memory of a pool, where a job leaves its result. */
function pooled(data: Buffer): Buffer {
  const room = new BlockMemory(0).take(data.length);
  data.copy(room);
  return room;
}

describe('what lies in memory of a pool', () => {
  for (const [what, make] of Object.entries(contents)) {
    it(`is packed to where it lay, and to the same bytes as elsewhere: ${what}`, () => {
      for (const size of sizes.filter((bytes) => bytes > 0)) {
        for (const level of [0, 1, 6]) {
          for (const last of [true, false]) {
            const given = pooled(make(size));
            const { data } = deflateBlock({ data: given, level, last });
            expect(data.buffer).toBe(given.buffer);
            expect(Buffer.compare(data, deflateBlock({ data: make(size), level, last }).data)).toBe(0);
          }
          const given = pooled(make(size));
          const { data } = gzipMember({ data: given, level });
          expect(data.buffer).toBe(given.buffer);
          expect(Buffer.compare(data, gzipMember({ data: make(size), level }).data)).toBe(0);
        }
      }
    });
  }

  it('is packed elsewhere where it does not begin its memory', () => {
    const media = noise(300_000);
    const room = new BlockMemory(0).take(400_000);
    media.copy(room, 70_000);
    const { data } = deflateBlock({ data: room.subarray(70_000, 370_000), level: 6, last: true });
    expect(data.buffer).not.toBe(room.buffer);
    expect(inflateRawSync(data).equals(media)).toBe(true);
  });

  it('is packed so in batches too', () => {
    const items = [text(5000), noise(70_000), Buffer.alloc(0), text(3), Buffer.alloc(20_000)];
    const lengths = items.map(({ length }) => length);
    const given = pooled(Buffer.concat(items));
    const there = deflateBatch({ data: given, lengths, level: 6, traced: true });
    const elsewhere = deflateBatch({ data: Buffer.concat(items), lengths, level: 6, traced: true });
    expect(there.data.buffer).toBe(given.buffer);
    expect(Buffer.compare(there.data, elsewhere.data)).toBe(0);
    expect([there.items, there.sums]).toEqual([elsewhere.items, elsewhere.sums]);
  });
});

describe('deflateBatch', () => {
  it('deflates or stores each item, whichever is smaller, with its CRC and its sum', () => {
    const items = [text(1000), Buffer.alloc(0), noise(100_000), Buffer.from('a'), text(200_000), Buffer.alloc(0)];
    const lengths = items.map(({ length }) => length);
    const { data, items: packed } = deflateBatch({ data: Buffer.concat(items), lengths, level: 6 });
    expect(packed.map(({ method }) => method)).toEqual([8, 0, 0, 0, 8, 0]);
    let at = 0;
    for (const [index, { method, length, crc, sha256 }] of packed.entries()) {
      const bytes = data.subarray(at, (at += length));
      const content = items[index]!;
      expect((method === 8 ? inflateRawSync(bytes) : Buffer.from(bytes)).equals(content)).toBe(true);
      expect(length).toBeLessThanOrEqual(content.length);
      expect(crc).toBe(crc32(content));
      expect(sha256).toBe(createHash('sha256').update(content).digest('hex'));
    }
    expect(at).toBe(data.length);
  });

  it('stores everything at level 0', () => {
    const { data, items } = deflateBatch({ data: text(5000), lengths: [4000, 1000], level: 0 });
    expect(items.map(({ method, length }) => [method, length])).toEqual([
      [0, 4000],
      [0, 1000],
    ]);
    expect(Buffer.from(data).equals(text(5000))).toBe(true);
  });

  it('packs nothing, and many of nothing', () => {
    expect(deflateBatch({ data: Buffer.alloc(0), lengths: [], level: 6 }).items).toEqual([]);
    const { data, items } = deflateBatch({ data: Buffer.alloc(0), lengths: [0, 0, 0], level: 9 });
    expect(data.length).toBe(0);
    expect(items.map(({ method, length, crc }) => [method, length, crc])).toEqual(Array(3).fill([0, 0, 0]));
  });
});

describe('gzipMember', () => {
  it('is a gzip file of its own that tells its size, at every size and level', () => {
    for (const size of sizes) {
      for (const level of [0, 1, 9]) {
        const { data } = gzipMember({ data: text(size), level });
        const member = Buffer.from(data);
        expect(gunzipSync(member).equals(text(size))).toBe(true);
        expect(member.subarray(12, 14).toString()).toBe('BK');
        expect(member.readUInt32LE(16)).toBe(member.length);
      }
    }
  });

  it('joins to one file that gzip takes', () => {
    const contents = [text(1000), Buffer.alloc(0), noise(70_000)];
    const input = Buffer.concat(contents.map((data, level) => gzipMember({ data, level: level * 4 }).data));
    const output = execFileSync('gzip', ['-dc'], { input, maxBuffer: 1 << 24 });
    expect(output.equals(Buffer.concat(contents))).toBe(true);
  });
});
