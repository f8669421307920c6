import { it } from 'vitest';
import { rounds } from '../helpers/rounds.js';
import { expectCutFoundOut, expectFoundOut, flipped, forEachIndex, smallArchive } from './altered-archives.js';

it(
  'finds altered bytes of an encrypted zip, and never takes it for a wrong passphrase',
  { timeout: 300_000 },
  async () => {
    const archive = await smallArchive('zip', true);
    // Each takes a key that takes its time.
    const step = rounds(4, 1);
    await forEachIndex(Math.floor(archive.bytes.length / step), (n) =>
      expectFoundOut(archive, flipped(archive.bytes, n * step, n % 3 === 0 ? 0xff : 1 << (n % 8))),
    );
  },
);

it('finds an encrypted zip that was cut at any length', { timeout: 300_000 }, async () => {
  const archive = await smallArchive('zip', true);
  const step = rounds(16, 8);
  await forEachIndex(Math.floor(archive.bytes.length / step), (n) => expectCutFoundOut(archive, n * step));
});
