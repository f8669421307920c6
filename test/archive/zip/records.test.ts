import { describe, expect, it } from 'vitest';
import type { BlockIndex } from '../../../src/archive/zip/block-index.js';
import { blockSize } from '../../../src/base/limits.js';
import { decodeExtras } from '../../../src/archive/zip/extra-fields.js';
import {
  centralBytes,
  decodeLocal,
  dosTime,
  encodeCentral,
  encodeDescriptor,
  encodeEnd,
  encodeLocal,
  findEnd,
  localRecordBytes,
  matchDescriptor,
  type RecordFields,
} from '../../../src/archive/zip/records.js';

const fields: RecordFields = {
  name: Buffer.from('uploads/a'),
  method: 8,
  mode: 0o100644,
  mtime: 1_700_000_000_000_000_000n,
  uid: 1,
  gid: 2,
  crc: 0x12345678,
  size: 10,
  packedSize: 9,
  descriptor: false,
  large: false,
  offset: 7,
};

const nanoseconds = (text: string): bigint => BigInt(Date.parse(text)) * 1_000_000n;

describe('dosTime', () => {
  const parts = (text: string): readonly number[] => {
    const { time, date } = dosTime(nanoseconds(text));
    return [(date >>> 9) + 1980, (date >>> 5) & 15, date & 31, time >>> 11, (time >>> 5) & 63, (time & 31) * 2];
  };

  it('is the time in UTC, to two seconds', () => {
    expect(parts('2025-10-30T12:34:57Z')).toEqual([2025, 10, 30, 12, 34, 56]);
    expect(parts('1980-01-01T00:00:00Z')).toEqual([1980, 1, 1, 0, 0, 0]);
    expect(parts('2107-12-31T23:59:59Z')).toEqual([2107, 12, 31, 23, 59, 58]);
  });

  it('is the nearest it has for a time before 1980 or after 2107', () => {
    expect(parts('1979-12-31T23:59:59Z')).toEqual([1980, 1, 1, 0, 0, 0]);
    expect(parts('1901-01-01T00:00:00Z')).toEqual([1980, 1, 1, 0, 0, 0]);
    expect(parts('2108-01-01T00:00:00Z')).toEqual([2107, 12, 31, 23, 59, 58]);
  });
});

describe('local records', () => {
  it('say what the central ones say, as long as it is known', () => {
    const record = encodeLocal(fields);
    expect(localRecordBytes(record)).toBe(record.length);
    expect(decodeLocal(record)).toMatchObject({ ...pick(fields), versionNeeded: 20, flags: 0x0800 });
    expect(decodeLocal(record).extras).toEqual({ mtime: fields.mtime, uid: 1, gid: 2 });
  });

  it('leave sizes and CRC to the descriptor, in 8 bytes where that may be needed', () => {
    const narrow = decodeLocal(encodeLocal({ ...fields, descriptor: true }));
    expect(narrow).toMatchObject({ crc: 0, size: 0, packedSize: 0, flags: 0x0808, versionNeeded: 20 });
    expect(narrow.extras.zip64).toBeUndefined();
    const wide = decodeLocal(encodeLocal({ ...fields, descriptor: true, large: true }));
    expect(wide).toMatchObject({ crc: 0, size: 0xffffffff, packedSize: 0xffffffff, versionNeeded: 45 });
    expect(wide.extras.zip64).toEqual(Buffer.alloc(16));
  });

  it('are no records where the signature is another one', () => {
    expect(localRecordBytes(encodeCentral(fields))).toBeUndefined();
  });
});

const pick = ({ crc, size, packedSize, method, name }: RecordFields): Partial<RecordFields> => ({
  crc,
  size,
  packedSize,
  method,
  name,
});

describe('data descriptors', () => {
  const huge = { crc: 5, size: 5_000_000_000, packedSize: 4_999_999_999 };

  it('are matched with and without their signature, in both widths, and by nothing else', () => {
    for (const [expected, large] of [
      [fields, false],
      [fields, true],
      [huge, true],
    ] as const) {
      const record = encodeDescriptor({ ...expected, large });
      expect(matchDescriptor(record, expected, large)).toBe(large ? 24 : 16);
      expect(matchDescriptor(record.subarray(4), expected, large)).toBe(large ? 20 : 12);
      expect(matchDescriptor(record, { ...expected, crc: 6 }, large)).toBeUndefined();
      expect(matchDescriptor(record.subarray(0, -1), expected, large)).toBeUndefined();
      expect(matchDescriptor(Buffer.alloc(0), expected, large)).toBeUndefined();
      for (let at = 0; at < record.length; at++) {
        const altered = Buffer.from(record);
        altered[at]! ^= 1;
        expect(matchDescriptor(altered, expected, large)).toBeUndefined();
      }
    }
  });

  it('cannot hold in 4 bytes what needs 8', () => {
    expect(matchDescriptor(Buffer.alloc(24), huge, false)).toBeUndefined();
  });
});

describe('central records', () => {
  const extrasOf = (record: Buffer): Buffer => record.subarray(centralBytes + record.readUInt16LE(28));

  it('move into the zip64 field exactly what does not fit, in its order', () => {
    const big = 0xffffffff;
    for (const [given, values] of [
      [{}, undefined],
      [{ size: big - 1, packedSize: big - 1, offset: big - 1 }, undefined],
      [{ size: big }, [big]],
      [{ packedSize: big }, [big]],
      [{ offset: big }, [big]],
      [{ size: 2 ** 40, packedSize: 2 ** 39, offset: 2 ** 41 }, [2 ** 40, 2 ** 39, 2 ** 41]],
      [{ size: 2 ** 40, offset: 2 ** 41 }, [2 ** 40, 2 ** 41]],
      [{ large: true }, [10, 9]],
    ] as const) {
      const record = encodeCentral({ ...fields, ...given });
      const { zip64 } = decodeExtras(extrasOf(record));
      const found = zip64 && Array.from({ length: zip64.length / 8 }, (_, at) => Number(zip64.readBigUInt64LE(at * 8)));
      expect(found).toEqual(values);
      expect(record.readUInt16LE(6)).toBe(values === undefined ? 20 : 45);
    }
  });

  it('never have more extra fields than their length can tell, and make the index of blocks coarser, or leave it out, before', () => {
    const all = { mtime: 2n ** 62n + 1n, size: 2 ** 40, packedSize: 2 ** 40, offset: 2 ** 40, large: true };
    const indexOf = (count: number): BlockIndex | undefined => {
      const record = encodeCentral({ ...fields, ...all, blocks: Array.from({ length: count }, (_, at) => at % 1000) });
      expect(record.length).toBe(centralBytes + record.readUInt16LE(28) + record.readUInt16LE(30));
      const extras = decodeExtras(extrasOf(record));
      expect(extras.exactMtime).toBe(all.mtime);
      return extras.blocks;
    };
    const all16 = 16_351;
    for (const [count, each] of [
      [0, 1],
      [1, 1],
      [all16, 1],
      [all16 + 1, 2],
      [2 * all16 + 1, 4],
      [100_000, 8],
      [8 * all16, 8],
    ] as const) {
      const index = indexOf(count);
      const first = Array.from({ length: Math.min(each, count) }, (_, at) => at).reduce((sum, at) => sum + at, 0);
      expect(index).toMatchObject({ unit: each * blockSize });
      expect(index?.sizes).toHaveLength(Math.ceil(count / each));
      expect(index?.sizes[0]).toBe(count === 0 ? undefined : first);
      const total = Array.from({ length: count }, (_, at) => at % 1000).reduce((sum, bytes) => sum + bytes, 0);
      expect(index?.sizes.reduce((sum, bytes) => sum + bytes, 0)).toBe(total);
    }
    expect(indexOf(8 * all16 + 1)).toBeUndefined();
  });

  it('hold the mode with its type for Unix, and the folder bit for MS-DOS', () => {
    const file = encodeCentral({ ...fields, mode: 0o104755 });
    expect(file.readUInt32LE(38)).toBe(0o104755 * 65536);
    expect(file.readUInt16LE(4) >>> 8).toBe(3);
    const folder = encodeCentral({ ...fields, name: Buffer.from('a/'), mode: 0o040000 });
    expect(folder.readUInt32LE(38)).toBe(0o040000 * 65536 + 0x10);
  });
});

describe('the end records', () => {
  it('are zip64 exactly where a value needs it', () => {
    const small = { entries: 65_534, offset: 0xfffffffe, bytes: 0xfffffffe };
    expect(encodeEnd(small, Buffer.alloc(0))).toHaveLength(22);
    for (const value of [{ entries: 65_535 }, { offset: 0xffffffff }, { bytes: 0xffffffff }]) {
      const end = encodeEnd({ ...small, ...value }, Buffer.from('c'));
      expect(end).toHaveLength(56 + 20 + 22 + 1);
      expect(findEnd(end)).toMatchObject({ at: 76, comment: Buffer.from('c'), behind: 0 });
    }
  });

  it('are found from behind, with what lies behind them', () => {
    const end = encodeEnd({ entries: 0, offset: 0, bytes: 0 }, Buffer.from('comment'));
    expect(findEnd(end)).toMatchObject({ at: 0, behind: 0 });
    expect(findEnd(Buffer.concat([Buffer.alloc(9), end, Buffer.alloc(3)]))).toMatchObject({ at: 9, behind: 3 });
    expect(findEnd(end.subarray(0, -2))).toMatchObject({ behind: -2 });
    expect(findEnd(Buffer.concat([end, end]))).toMatchObject({ at: end.length });
    expect(findEnd(end.subarray(0, 21))).toBeUndefined();
    expect(findEnd(Buffer.alloc(0))).toBeUndefined();
  });
});
