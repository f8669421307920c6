import { crc32, deflateRawSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { blockSize } from '../../../src/base/limits.js';
import { CompressPool } from '../../../src/compress/pool.js';
import { buildZip, descriptor, extra, uint32, uint64s, type RawEntry } from '../../helpers/zip-builder.js';
import { noise } from '../tar/archives.js';
import { damageOf, openBytes, readZip } from './archives.js';
import { between, good, zeros } from './neighbours.js';

const pool = new CompressPool(1);
afterAll(() => pool.close());

describe('two records of one entry', () => {
  const content = 'content';
  const time = (seconds: number): Buffer => extra(0x5455, Buffer.concat([Buffer.from([1]), uint32(seconds)]));
  const owner = (uid: number): Buffer =>
    extra(0x7875, Buffer.concat([Buffer.from([1, 4]), uint32(uid), Buffer.from([4]), uint32(0)]));
  const contradictions: Readonly<Record<string, RawEntry>> = {
    name: { local: { name: Buffer.from('uploads/b') } },
    'name in case': { local: { name: Buffer.from('uploads/A') } },
    'name in length': { local: { name: Buffer.from('uploads/aa') } },
    'name by a slash': { name: 'uploads/a/', local: { name: Buffer.from('uploads/a') } },
    flags: { local: { flags: 0 } },
    'encrypted flag': { central: { flags: 0x0801 } },
    'descriptor flag': { central: { flags: 0x0808 } },
    method: { local: { method: 8 } },
    time: { local: { time: 0x6001 } },
    date: { local: { date: 0x5b5f } },
    CRC: { local: { crc: 1 } },
    size: { local: { size: 6 } },
    'packed size': { local: { packedSize: 6 } },
    'sizes of zero': { local: { crc: 0, size: 0, packedSize: 0 } },
    'extended timestamp': { local: { extra: time(1) }, central: { extra: time(2) } },
    uid: { local: { extra: owner(1) }, central: { extra: owner(2) } },
    'zip64 size': { local: { size: 0xffffffff, extra: extra(1, uint64s(8)) } },
    descriptor: { flags: 0x0808, descriptor: descriptor(crc32(content), 7, 8) },
    'descriptor CRC': { flags: 0x0808, descriptor: descriptor(1, 7, 7) },
    'missing descriptor': { flags: 0x0808 },
  };
  for (const [what, entry] of Object.entries(contradictions)) {
    it(`contradict each other in their ${what}: the content is not used`, async () => {
      const read = await readZip(pool, between({ name: 'uploads/a', content, ...entry }));
      expect(read.damaged.map(({ id }) => id)).toEqual(['central-local-mismatch']);
      expect(read.thrown).toBeUndefined();
      expect(read.samples.map(({ header }) => header.path)).toEqual(['uploads/good', 'uploads/z']);
    });
  }

  it('may differ where one of them has nothing to say', async () => {
    const entries: readonly RawEntry[] = [
      { name: 'a', content, local: { extra: time(7) } },
      { name: 'b', content, central: { extra: owner(7) } },
      { name: 'c', content, flags: 0x0808, descriptor: descriptor(crc32(content), 7, 7) },
      {
        name: 'd',
        content,
        flags: 0x0808,
        descriptor: descriptor(crc32(content), 7, 7).subarray(4),
        local: { crc: 0, size: 0, packedSize: 0 },
      },
    ];
    expect(await damageOf(pool, buildZip(entries))).toEqual([]);
  });
});

describe('a size', () => {
  const text = Buffer.alloc(5000, 'text');
  const both = (fields: RawEntry['local']): RawEntry => ({ local: fields!, central: fields! });
  const lies: Readonly<Record<string, readonly [string, RawEntry]>> = {
    'of a stored entry that is larger': ['size-mismatch', { content: text, ...both({ size: 5001 }) }],
    'of a stored entry that is smaller': ['size-mismatch', { content: text, ...both({ size: 4999 }) }],
    'of a deflated entry that is one larger': ['size-mismatch', { content: text, method: 8, ...both({ size: 5001 }) }],
    'of a deflated entry that is one smaller': ['size-mismatch', { content: text, method: 8, ...both({ size: 4999 }) }],
    'of zero where there is content': ['size-mismatch', { content: text, method: 8, ...both({ size: 0 }) }],
    'of a bomb that says it is small': ['size-mismatch', { content: zeros, method: 8, ...both({ size: 10 }) }],
    'of a bomb that says it is just small enough': [
      'size-mismatch',
      { content: zeros, method: 8, ...both({ size: blockSize }) },
    ],
    'of a large bomb that says it is smaller': [
      'size-mismatch',
      { content: zeros, method: 8, ...both({ size: 2 * blockSize }) },
    ],
    'of a large entry that is larger than it': [
      'size-mismatch',
      { content: zeros, method: 8, ...both({ size: 4_000_000_000 }) },
    ],
    'beyond counting': [
      'size-mismatch',
      { content: text, method: 8, extra: extra(1, uint64s(2n ** 60n)), ...both({ size: 0xffffffff }) },
    ],
    'of packed bytes that cuts the stream': [
      'content-undecodable',
      { content: text, method: 8, data: deflateRawSync(text).subarray(0, -1) },
    ],
    'of packed bytes that goes beyond the stream': [
      'content-undecodable',
      { content: text, method: 8, data: Buffer.concat([deflateRawSync(text), Buffer.from('hidden')]) },
    ],
    'of packed bytes that goes beyond a large stream': [
      'content-undecodable',
      { content: zeros, method: 8, data: Buffer.concat([deflateRawSync(zeros), Buffer.from('hidden')]) },
    ],
    'of packed bytes that cuts a large stream': [
      'content-undecodable',
      { content: zeros, method: 8, data: deflateRawSync(zeros).subarray(0, -1) },
    ],
  };
  for (const [what, [id, entry]] of Object.entries(lies)) {
    it(`${what} is told as ${id}, and its neighbours are read`, async () => {
      for (const want of ['content', 'sum'] as const) {
        const read = await readZip(pool, between(entry), { want: () => want });
        expect(read.thrown).toBeUndefined();
        expect(read.damaged.map((damage) => damage.id)).toEqual([id]);
        expect(read.samples.map(({ header }) => header.path)).toEqual(['uploads/good', 'uploads/z']);
      }
    });
  }

  it('of packed bytes that reaches into the next entry is an overlap', async () => {
    const reaching = { content: 'x', ...both({ size: 40, packedSize: 40 }) };
    expect(await damageOf(pool, between(reaching))).toContain('entries-overlap');
  });

  it('of packed bytes that reaches into the central directory ends the list', async () => {
    for (const packedSize of [300, 0xfffffffe]) {
      expect(await damageOf(pool, between({ content: 'x', ...both({ size: packedSize, packedSize }) }))).toContain(
        'structure-invalid',
      );
    }
    const huge = { content: 'x', extra: extra(1, uint64s(2n ** 62n)), ...both({ packedSize: 0xffffffff }) };
    expect(await damageOf(pool, between(huge))).toContain('structure-invalid');
  });

  it('and content may be right while the CRC is not', async () => {
    expect(await damageOf(pool, between({ content: text, ...both({ crc: 5 }) }))).toEqual(['crc-mismatch']);
    expect(await damageOf(pool, between({ content: zeros, method: 8, ...both({ crc: 5 }) }))).toEqual(['crc-mismatch']);
    expect(await damageOf(pool, between({ content: zeros, ...both({ crc: 5 }) }))).toEqual(['crc-mismatch']);
  });
});

describe('a method', () => {
  for (const method of [1, 6, 9, 12, 14, 93, 95, 99, 0xffff]) {
    it(`${method} that is not stored or deflated is told, and its neighbours are read`, async () => {
      const read = await readZip(pool, between({ content: 'x', method, data: Buffer.from('x') }));
      expect(read.damaged.map(({ id }) => id)).toEqual(['content-undecodable']);
      expect(read.samples).toHaveLength(2);
    });
  }

  it('behind an encryption flag is told, and makes the archive an encrypted one', async () => {
    for (const flags of [0x0801, 0x0001]) {
      const archive = between({ content: 'x', flags });
      expect(await damageOf(pool, archive)).toEqual(['content-undecodable']);
      expect(await (await openBytes(pool, archive)).isEncrypted()).toBe(true);
    }
    expect(await damageOf(pool, between({ content: 'x', flags: 0x0841 }))).toEqual(['structure-invalid']);
    expect(await (await openBytes(pool, between(good))).isEncrypted()).toBe(false);
  });
});

describe('an extra field', () => {
  const own = (...parts: readonly Buffer[]): Buffer => extra(0x4b42, Buffer.concat(parts));
  const part = (tag: number, value: Buffer, length = value.length): Buffer => {
    const head = Buffer.from([tag, 0, 0]);
    head.writeUInt16LE(length, 1);
    return Buffer.concat([head, value]);
  };
  const malformed: Readonly<Record<string, Buffer>> = {
    'of one byte': Buffer.from([1]),
    'of three bytes': Buffer.from([1, 0, 0]),
    'that is longer than its record': extra(0x5455, Buffer.alloc(5)).subarray(0, -1),
    'of ours whose part is cut short': own(part(1, Buffer.alloc(12), 13)),
    'of ours with half a part behind': own(part(1, Buffer.alloc(12)), Buffer.from([2, 0])),
  };
  for (const [what, field] of Object.entries(malformed)) {
    it(`${what} makes the container invalid, in the central and in the local record`, async () => {
      expect(await damageOf(pool, between({ content: 'x', central: { extra: field } }))).toEqual(['structure-invalid']);
      expect(await damageOf(pool, between({ content: 'x', local: { extra: field } }))).toEqual(['structure-invalid']);
    });
  }

  it('of a kind or length that is not ours is passed over', async () => {
    const fields = [
      extra(0x5455, Buffer.alloc(0)),
      extra(0x5455, Buffer.from([0, 1, 2, 3, 4])),
      extra(0x7875, Buffer.from([2, 4, 0])),
      extra(0x7875, Buffer.from([1, 9])),
      extra(0x7875, Buffer.from([1, 0, 0])),
      extra(0x7875, Buffer.from([1, 255, 0])),
      extra(0xabcd, noise(100)),
      own(part(9, noise(10))),
      own(part(1, noise(5))),
      own(part(2, noise(5))),
    ];
    for (const field of fields) {
      const read = await readZip(pool, between({ content: 'x', extra: field }));
      expect(read).toMatchObject({ thrown: undefined, damaged: [], oddities: [] });
      expect(read.samples[1]?.header).toMatchObject({ uid: 0, gid: 0 });
    }
  });

  it('that has no room for the zip64 values that are needed is refused', async () => {
    for (const fields of [{ size: 0xffffffff }, { packedSize: 0xffffffff }, { offset: 0xffffffff }]) {
      const central = { ...fields, extra: extra(1, Buffer.alloc(4)) };
      expect(await damageOf(pool, between({ content: 'x', central }))).toEqual(['structure-invalid']);
    }
  });

  describe('with an index of blocks', () => {
    const content = Buffer.concat([noise(blockSize), zeros.subarray(0, blockSize + 5)]);
    const pieces = [0, 1, 2].map((index) =>
      deflateRawSync(content.subarray(index * blockSize, (index + 1) * blockSize), {
        finishFlush: index === 2 ? 4 : 3,
      }),
    );
    const sizes = pieces.map(({ length }) => length);
    const indexed = (blocks: readonly number[], data = Buffer.concat(pieces)): Buffer =>
      between({
        content,
        method: 8,
        data,
        central: { extra: own(part(2, Buffer.concat(blocks.map(uint32)))), packedSize: data.length },
        local: { packedSize: data.length },
      });

    it('is read by it', async () => {
      const read = await readZip(pool, indexed(sizes));
      expect(read.damaged).toEqual([]);
      expect(read.samples[1]?.bytes.equals(content)).toBe(true);
    });

    const [first = 0, second = 0, third = 0] = sizes;
    const ignored: Readonly<Record<string, readonly number[]>> = {
      'has a block too few': [first + second, third],
      'has a block too many': [...sizes, 0],
      'has no block': [],
      'does not add up': [first, second, third + 1],
      'adds up only by overflowing': [first, second, third + 2 ** 31, 2 ** 31],
      'has a block beyond any block': [first + second + third - 2, 1, 1].map((bytes) => bytes + blockSize),
    };
    for (const [what, blocks] of Object.entries(ignored)) {
      it(`ignores one that ${what}`, async () => {
        const read = await readZip(pool, indexed(blocks));
        expect(read.damaged).toEqual([]);
        expect(read.samples[1]?.bytes.equals(content)).toBe(true);
      });
    }

    const inPieces = (each: number, pieceSizes: readonly number[]): Buffer => {
      const data = Buffer.concat(pieces);
      const value = Buffer.concat([Buffer.from([each]), ...pieceSizes.map(uint32)]);
      const central = { extra: own(part(3, value)), packedSize: data.length };
      return between({ content, method: 8, data, central, local: { packedSize: data.length } });
    };

    it('in pieces of several blocks is read by it', async () => {
      const read = await readZip(pool, inPieces(2, [first + second, third]));
      expect(read.damaged).toEqual([]);
      expect(read.samples[1]?.bytes.equals(content)).toBe(true);
      // That it is used, and not the stream as a whole, is seen where it is wrong.
      expect(await damageOf(pool, inPieces(2, [first, second + third]))).toEqual(['content-undecodable']);
    });

    for (const each of [0, 9, 255]) {
      it(`ignores one in pieces of ${each} blocks`, async () => {
        const read = await readZip(pool, inPieces(each, [first + second + third]));
        expect(read.damaged).toEqual([]);
        expect(read.samples[1]?.bytes.equals(content)).toBe(true);
      });
    }

    const wrong: Readonly<Record<string, readonly number[]>> = {
      'is off by one': [first - 1, second + 1, third],
      'has an empty block': [first, second + third, 0],
      'begins with an empty block': [0, first, second + third],
      'has its blocks in another order': [third, second, first],
    };
    for (const [what, blocks] of Object.entries(wrong)) {
      it(`takes one that ${what} for damage`, async () => {
        expect(await damageOf(pool, indexed(blocks))).toEqual(['content-undecodable']);
      });
    }

    it('takes a stream for damage that ends within a block: others would stop there', async () => {
      const ended = deflateRawSync(content.subarray(blockSize, 2 * blockSize), { finishFlush: 2 });
      const final = Buffer.concat([ended.subarray(0, -5), Buffer.from([1, 0, 0, 0xff, 0xff])]);
      const data = Buffer.concat([pieces[0]!, final, pieces[2]!]);
      expect(await damageOf(pool, indexed([first, final.length, third], data))).toEqual(['content-undecodable']);
    });
  });
});
