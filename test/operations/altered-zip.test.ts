import { it } from 'vitest';
import { rounds } from '../helpers/rounds.js';
import { expectCutFoundOut, expectFoundOut, flipped, forEachIndex, smallArchive } from './altered-archives.js';

it('finds altered bytes of a zip', { timeout: 300_000 }, async () => {
  const archive = await smallArchive('zip');
  // In between, archive/zip/damage.test.ts alters each byte for the reader.
  const step = rounds(2, 1);
  await forEachIndex(Math.ceil(archive.bytes.length / step), async (n) => {
    const index = n * step;
    await expectFoundOut(archive, flipped(archive.bytes, index, 1 << (n % 8)));
    if (n % rounds(8, 1) === 0) await expectFoundOut(archive, flipped(archive.bytes, index, 0xff));
  });
});

it('finds a zip that was cut at any length', { timeout: 300_000 }, async () => {
  const archive = await smallArchive('zip');
  const step = rounds(3, 1);
  await forEachIndex(Math.ceil(archive.bytes.length / step), (n) => expectCutFoundOut(archive, n * step));
});

it('finds bytes put behind or in the middle of a zip', async () => {
  const archive = await smallArchive('zip');
  const { bytes } = archive;
  for (const at of [1, 40, bytes.length >> 1, bytes.length - 30, bytes.length]) {
    for (const more of [Buffer.from([0]), Buffer.from('PK'), bytes]) {
      await expectFoundOut(archive, Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]));
    }
  }
});
