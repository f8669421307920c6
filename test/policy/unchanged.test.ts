import { describe, expect, it } from 'vitest';
import { isSettled, isUnchanged, settlingTime } from '../../src/policy/unchanged.js';

const begun = Date.UTC(2026, 0, 1);
const nanoseconds = (milliseconds: number): bigint => BigInt(milliseconds) * 1_000_000n;
const long = nanoseconds(begun - 2 * settlingTime);

describe('isSettled', () => {
  it('is a file that was left alone for long enough before the backup', () => {
    expect(isSettled({ mtime: long, ctime: long }, begun)).toBe(true);
    const border = nanoseconds(begun - settlingTime);
    expect(isSettled({ mtime: border - 1n, ctime: border - 1n }, begun)).toBe(true);
    expect(isSettled({ mtime: long, ctime: border }, begun)).toBe(false);
    expect(isSettled({ mtime: border, ctime: long }, begun)).toBe(false);
  });

  it('is none with times that are to come', () => {
    const future = nanoseconds(begun + 1_000_000);
    expect(isSettled({ mtime: future, ctime: long }, begun)).toBe(false);
    expect(isSettled({ mtime: long, ctime: future }, begun)).toBe(false);
  });
});

describe('isUnchanged', () => {
  const seen = { size: 5, mtime: 1n, ctime: 2n, ino: 3n };

  it('is what is the same in everything that a change would show in', () => {
    expect(isUnchanged(seen, { ...seen })).toBe(true);
    for (const other of [{ size: 6 }, { mtime: 0n }, { ctime: 3n }, { ino: 4n }]) {
      expect(isUnchanged(seen, { ...seen, ...other })).toBe(false);
    }
  });
});
