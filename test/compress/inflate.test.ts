import { createHash } from 'node:crypto';
import { constants, crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { blockSize } from '../../src/base/limits.js';
import { deflateBlock, gzipMember } from '../../src/compress/deflate.js';
import { BlockMemory } from '../../src/compress/block-memory.js';
import { gunzipMember, inflateBatch, inflateBlock } from '../../src/compress/inflate.js';
import { hex32 } from '../../src/compress/inflate-item.js';
import type { InflateItem } from '../../src/compress/jobs.js';
import { noise } from '../archive/tar/archives.js';

const content = Buffer.from('content '.repeat(100));
const packed = deflateRawSync(content);
const item = (rest: Partial<InflateItem> = {}): InflateItem => ({
  method: 8,
  length: packed.length,
  size: content.length,
  crc: crc32(content),
  keep: true,
  ...rest,
});
const sum = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('inflateBatch', () => {
  it('gives the content of those to keep, one behind the other, and the sums of all', () => {
    const data = Buffer.concat([packed, Buffer.from('stored'), packed]);
    const stored = { method: 0, length: 6, size: 6, crc: crc32('stored'), keep: true } as const;
    const result = inflateBatch({ data, items: [item(), stored, item({ keep: false })] });
    expect(Buffer.from(result.data).equals(Buffer.concat([content, Buffer.from('stored')]))).toBe(true);
    expect(result.items).toEqual([
      { sha256: sum(content) },
      { sha256: sum(Buffer.from('stored')) },
      { sha256: sum(content) },
    ]);
  });

  const damaged: readonly (readonly [string, Buffer, Partial<InflateItem>, string])[] = [
    ['one byte less than declared', packed, { size: content.length + 1 }, 'size-mismatch'],
    ['one byte more than declared', packed, { size: content.length - 1 }, 'size-mismatch'],
    ['far more than declared', packed, { size: 3 }, 'size-mismatch'],
    ['anything where nothing is declared', packed, { size: 0 }, 'size-mismatch'],
    ['another CRC', packed, { crc: 1 }, 'crc-mismatch'],
    ['no deflate stream', Buffer.alloc(20, 0xff), {}, 'content-undecodable'],
    ['nothing at all', Buffer.alloc(0), {}, 'content-undecodable'],
    ['a stream that is cut short', packed.subarray(0, -1), {}, 'content-undecodable'],
    ['a stream with something behind it', Buffer.concat([packed, Buffer.alloc(1)]), {}, 'content-undecodable'],
    ['a stored item of another size', Buffer.from('stored'), { method: 0, size: 5 }, 'size-mismatch'],
  ];
  for (const [what, data, rest, id] of damaged) {
    it(`tells ${what} as ${id}, and leaves its neighbours as they are`, () => {
      const items = [item(), item({ length: data.length, ...rest }), item()];
      const result = inflateBatch({ data: Buffer.concat([packed, data, packed]), items });
      expect(result.items).toMatchObject([{ sha256: sum(content) }, { damage: id }, { sha256: sum(content) }]);
      const start = content.length + items[1]!.size;
      expect(Buffer.from(result.data.subarray(0, content.length)).equals(content)).toBe(true);
      expect(Buffer.from(result.data.subarray(start)).equals(content)).toBe(true);
    });
  }

  it('stops a bomb at its declared size', () => {
    const bomb = deflateRawSync(Buffer.alloc(64 * blockSize), { level: 9 });
    const before = process.memoryUsage().arrayBuffers;
    const { items } = inflateBatch({ data: bomb, items: [item({ length: bomb.length, size: 1000 })] });
    expect(items).toMatchObject([{ damage: 'size-mismatch' }]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * blockSize);
  });
});

describe('inflateBlock', () => {
  const data = noise(50_000);
  const middle = deflateBlock({ data, level: 6, last: false }).data;
  const last = deflateBlock({ data, level: 6, last: true }).data;

  it('undoes deflateBlock, in the middle and at the end', () => {
    expect(Buffer.from(inflateBlock({ data: middle, size: data.length, last: false }).data).equals(data)).toBe(true);
    expect(Buffer.from(inflateBlock({ data: last, size: data.length, last: true }).data).equals(data)).toBe(true);
  });

  it('leaves the content where the block lay, in memory of a pool', () => {
    const memory = new BlockMemory(0);
    for (const [packed, isLast] of [
      [middle, false],
      [last, true],
    ] as const) {
      const given = memory.take(packed.length);
      given.set(packed);
      const content = inflateBlock({ data: given, size: data.length, last: isLast }).data;
      expect(content.buffer).toBe(given.buffer);
      expect(Buffer.compare(content, data)).toBe(0);
    }
  });

  it('refuses a block that is not exactly as large as it should be', () => {
    for (const size of [0, data.length - 1, data.length + 1, blockSize]) {
      expect(() => inflateBlock({ data: middle, size, last: false })).toThrow(/holds|inflated/);
      expect(() => inflateBlock({ data: last, size, last: true })).toThrow(/holds|inflated/);
    }
  });

  it('refuses a last block that does not end its stream', () => {
    expect(() => inflateBlock({ data: middle, size: data.length, last: true })).toThrow('cannot be inflated');
  });

  it('refuses a block in the middle that ends the stream: other readers would stop there', () => {
    const ended = [
      last,
      // What looks like a full flush, but is an empty stored block that is the last one (RFC 1951 3.2.3).
      Buffer.concat([deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -5), finalStored]),
    ];
    for (const block of ended) {
      expect(() => inflateBlock({ data: block, size: data.length, last: false })).toThrow();
    }
  });

  it('refuses a block that leans on the one before it', () => {
    const whole = deflateRawSync(Buffer.concat([data, data]), { finishFlush: constants.Z_SYNC_FLUSH });
    const leaning = whole.subarray(-2000);
    expect(() => inflateBlock({ data: leaning, size: data.length, last: false })).toThrow();
  });
});

const finalStored = Buffer.from([1, 0, 0, 0xff, 0xff]);

describe('gunzipMember', () => {
  const member = Buffer.from(gzipMember({ data: content, level: 6 }).data);

  it('undoes gzipMember', () => {
    const { data } = gunzipMember({ data: member, maxBytes: content.length });
    expect(Buffer.from(data).equals(content)).toBe(true);
  });

  const altered = (at: number): Buffer => {
    const bytes = Buffer.from(member);
    bytes[at < 0 ? bytes.length + at : at]! ^= 1;
    return bytes;
  };
  const damaged: Readonly<Record<string, Buffer>> = {
    'is empty': Buffer.alloc(0),
    'is shorter than its header': member.subarray(0, 20),
    'has no trailer': member.subarray(0, -8),
    'has another CRC': altered(-8),
    'has another size': altered(-4),
    'has other content': altered(30),
    'has something behind it': Buffer.concat([member, Buffer.alloc(1)]),
    'is followed by another one': Buffer.concat([member, member]),
    'is an ordinary gzip file': gzipSync(content),
  };
  for (const [what, data] of Object.entries(damaged)) {
    it(`refuses a member that ${what}`, () => {
      expect(() => gunzipMember({ data, maxBytes: blockSize })).toThrow();
    });
  }

  it('refuses more than it may hold', () => {
    expect(() => gunzipMember({ data: member, maxBytes: content.length - 1 })).toThrow(/more than|cannot be inflated/);
  });
});

describe('hex32', () => {
  it('has eight digits', () => {
    expect([0, 255, 0xffffffff].map(hex32)).toEqual(['00000000', '000000ff', 'ffffffff']);
  });
});
