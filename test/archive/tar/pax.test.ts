import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPaxTime, parsePax, parsePaxTime } from '../../../src/archive/tar/pax.js';
import { record } from './raw-tar.js';

describe('pax times', () => {
  it('are written exactly', () => {
    expect(formatPaxTime(0n)).toBe('0');
    expect(formatPaxTime(1_700_000_000_000_000_000n)).toBe('1700000000');
    expect(formatPaxTime(1_700_000_000_120_000_000n)).toBe('1700000000.12');
    expect(formatPaxTime(-1n)).toBe('-0.000000001');
    expect(formatPaxTime(-1_500_000_000n)).toBe('-1.5');
  });

  it('are read exactly, and rounded down beyond nanoseconds', () => {
    expect(parsePaxTime('1.')).toBe(1_000_000_000n);
    expect(parsePaxTime('-0.5')).toBe(-500_000_000n);
    expect(parsePaxTime('1.0000000019')).toBe(1_000_000_001n);
    expect(parsePaxTime('-1.0000000011')).toBe(-1_000_000_002n);
    expect(parsePaxTime('-1.0000000010')).toBe(-1_000_000_001n);
  });

  it('are refused where they are none', () => {
    for (const text of [
      '',
      '-',
      '.5',
      '+1',
      ' 1',
      '1 ',
      '1e3',
      '0x1',
      '1.2.3',
      '1,5',
      '99999999999999',
      '1'.repeat(40),
    ]) {
      expect(parsePaxTime(text)).toBeUndefined();
    }
  });

  it('come back, whatever they are', () => {
    const bound = 8_640_000_000_000_000_000_000n;
    fc.assert(
      fc.property(fc.bigInt({ min: -bound, max: bound }), (time) => parsePaxTime(formatPaxTime(time)) === time),
    );
  });
});

describe('pax records', () => {
  it('come back, whatever their values hold', () => {
    const value = fc.uint8Array({ minLength: 1, maxLength: 1200 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(value, value, fc.nat(), (path, linkpath, uid) => {
        const data = [
          record('path', path),
          record('comment', linkpath),
          record('linkpath', linkpath),
          record('uid', String(uid)),
        ];
        expect(parsePax(Buffer.concat(data))).toEqual({ path, linkpath, uid });
      }),
    );
  });

  it('never crash, hang or read beyond their data', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...Array.from('0123459 =\n-path')), { maxLength: 40 }), (characters) => {
        try {
          parsePax(Buffer.from(characters.join('')));
        } catch (error) {
          expect(error).toMatchObject({ id: 'structure-invalid' });
        }
      }),
    );
  });
});
