import { closeSync, fstatSync, futimesSync, openSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { unixSeconds } from '../../src/fs/unix-time.js';
import { temporaryFolder } from '../helpers/surroundings.js';

const second = 1_000_000_000n;

it('keeps whole microseconds exactly, and every time to less than a microsecond, from 1902 to 2100', () => {
  const fd = openSync(join(temporaryFolder(), 'f'), 'w');
  const stored = (time: bigint): bigint => {
    futimesSync(fd, unixSeconds(time), unixSeconds(time));
    return fstatSync(fd, { bigint: true }).mtimeNs;
  };
  const times = fc.bigInt({ min: -2_147_483_646n * second, max: 4_102_444_800n * second });
  fc.assert(
    fc.property(times, (time) => {
      const whole = (time / 1000n) * 1000n;
      const off = stored(time) - time;
      expect(off > -1000n && off < 1000n).toBe(true);
      expect(stored(whole)).toBe(whole);
    }),
    { numRuns: 5000 },
  );
  closeSync(fd);
});
