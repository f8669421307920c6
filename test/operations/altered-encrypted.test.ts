import { it } from 'vitest';
import { expectCutFoundOut, expectFoundOut, flipped, forEachIndex, smallArchive } from './altered-archives.js';

it(
  'finds every altered byte of an encrypted zip, and never takes it for a wrong passphrase',
  { timeout: 300_000 },
  async () => {
    const archive = await smallArchive('zip', true);
    await forEachIndex(archive.bytes.length, (index) =>
      expectFoundOut(archive, flipped(archive.bytes, index, index % 3 === 0 ? 0xff : 1 << (index % 8))),
    );
  },
);

it('finds an encrypted zip that was cut at any length', { timeout: 300_000 }, async () => {
  const archive = await smallArchive('zip', true);
  await forEachIndex(archive.bytes.length >> 3, (length) => expectCutFoundOut(archive, length << 3));
});
