import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeExtras, encodeCentralExtra, encodeLocalExtra } from '../../../src/archive/zip/extra-fields.js';
import { blockSize } from '../../../src/base/limits.js';
import { extra } from '../../helpers/zip-builder.js';

describe('extra fields', () => {
  it('bring any time and owner back, to the nanosecond in the central record, to the second in the local one', () => {
    const id = fc.integer({ min: 0, max: 0xffffffff });
    const mtime = fc.oneof(
      fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
      fc.bigInt({ min: -3_000_000_000n, max: 3_000_000_000n }),
      fc.bigInt({ min: -(2n ** 33n), max: 2n ** 33n }).map((seconds) => seconds * 1_000_000_000n),
    );
    fc.assert(
      fc.property(mtime, id, id, fc.array(id, { maxLength: 5 }), (time, uid, gid, blocks) => {
        const central = decodeExtras(encodeCentralExtra({ mtime: time, uid, gid, blocks }));
        expect(central).toMatchObject({ uid, gid, blocks: { unit: blockSize, sizes: blocks } });
        expect(central.exactMtime ?? central.mtime).toBe(time);
        const local = decodeExtras(encodeLocalExtra({ mtime: time, uid, gid }));
        expect(local).toMatchObject({ uid, gid });
        expect(local.mtime).toBe(central.mtime);
        const second = ((time % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
        if (local.mtime !== undefined) expect(local.mtime).toBe(time - second);
      }),
      { numRuns: 500 },
    );
  });

  it('hold no time in 32 bits that does not fit, and no field of ours where the public ones say all', () => {
    const owner = { uid: 0, gid: 0 };
    const times = (mtime: bigint): readonly [boolean, boolean] => {
      const { mtime: public32, exactMtime } = decodeExtras(encodeCentralExtra({ ...owner, mtime }));
      return [public32 !== undefined, exactMtime !== undefined];
    };
    const second = 1_000_000_000n;
    expect(times(0n)).toEqual([true, false]);
    expect(times(1n)).toEqual([true, true]);
    expect(times((2n ** 31n - 1n) * second)).toEqual([true, false]);
    expect(times(2n ** 31n * second)).toEqual([false, true]);
    expect(times(-(2n ** 31n) * second)).toEqual([true, false]);
    expect(times(-(2n ** 31n) * second - 1n)).toEqual([false, true]);
  });

  it('of any bytes are taken or refused with a RangeError', () => {
    const field = fc
      .tuple(fc.constantFrom(1, 0x5455, 0x7875, 0x4b42, 0x7075, 0xbeef), fc.uint8Array({ maxLength: 40 }))
      .map(([id, data]) => extra(id, Buffer.from(data)));
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((data) => Buffer.from(data)),
      fc.array(field, { maxLength: 4 }).map((fields) => Buffer.concat(fields)),
    );
    fc.assert(
      fc.property(bytes, (data) => {
        try {
          const { uid = 0, gid = 0, mtime = 0n } = decodeExtras(data);
          expect(Number.isSafeInteger(uid) && Number.isSafeInteger(gid)).toBe(true);
          expect(mtime % 1_000_000_000n).toBe(0n);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('take owners of the lengths that other tools write', () => {
    const owner = (...data: readonly number[]): unknown => decodeExtras(extra(0x7875, Buffer.from(data)));
    expect(owner(1, 1, 5, 2, 6, 1)).toEqual({ uid: 5, gid: 262 });
    expect(owner(1, 4, 1, 0, 0, 0, 4, 2, 0, 0, 0)).toEqual({ uid: 1, gid: 2 });
    for (const malformed of [[], [1], [1, 4, 1], [1, 1, 5, 1], [1, 1, 5, 1, 6, 7], [1, 0, 1, 6], [2, 1, 5, 1, 6]]) {
      expect(owner(...malformed)).toEqual({});
    }
  });
});
