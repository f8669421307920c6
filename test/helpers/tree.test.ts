import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../helpers/surroundings.js';
import { bytes, expectTree, linkTo, readTree, withMeta, writeTree } from './tree.js';

const tree = {
  a: bytes(10),
  empty: {},
  sub: withMeta({ text: withMeta('x', { mode: 0o640, mtime: -1_000_001_000n }), l: linkTo('text') }, { mode: 0o711 }),
};

it('writes what it reads, with the meta that is asked for', async () => {
  const folder = temporaryFolder();
  await writeTree(folder, tree);
  await expectTree(folder, tree);
  expect(await readTree(folder)).toEqual({
    a: bytes(10),
    empty: {},
    sub: { text: Buffer.from('x'), l: linkTo('text') },
  });
});

it('fails on anything missing, more or other', async () => {
  const folder = temporaryFolder();
  await writeTree(folder, tree);
  await expect(expectTree(folder, { ...tree, more: '' })).rejects.toThrow();
  await expect(expectTree(folder, { ...tree, a: bytes(10, 2) })).rejects.toThrow();
  await expect(expectTree(folder, { ...tree, empty: linkTo('x') })).rejects.toThrow();
  await expect(expectTree(folder, { ...tree, a: withMeta(bytes(10), { mode: 0o600 }) })).rejects.toThrow();
  writeFileSync(join(folder, 'extra'), '');
  await expect(expectTree(folder, tree)).rejects.toThrow();
  symlinkSync('x', join(folder, 'empty/extra'));
});
