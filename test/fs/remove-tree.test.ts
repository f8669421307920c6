import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { removeTree } from '../../src/fs/remove-tree.js';
import { linkTo, writeTree } from '../helpers/tree.js';
import { oddNames, temporaryFolder, unprivilegedAsync } from '../helpers/surroundings.js';

it('removes a folder with all in it, whatever the names, and follows no link', async () => {
  const folder = temporaryFolder();
  await writeTree(folder, { kept: { f: 'x' }, gone: { deep: { er: {} } } });
  await writeTree(join(folder, 'gone'), Object.fromEntries(oddNames.map((name) => [name, { [`${name[0]}`]: 'x' }])));
  mkdirSync(Buffer.concat([Buffer.from(`${folder}/gone/`), Buffer.from([0xff, 0xfe])]));
  symlinkSync('../kept', join(folder, 'gone/link'));
  await removeTree(join(folder, 'gone'));
  expect(readdirSync(folder)).toEqual(['kept']);
  expect(readdirSync(join(folder, 'kept'))).toEqual(['f']);
});

it('removes read-only and closed folders as their owner, who need not be root', async () => {
  const folder = temporaryFolder();
  await unprivilegedAsync(async () => {
    await writeTree(join(folder, 'x'), { a: { b: { f: '' } }, c: { d: { f: '' } } });
    chmodSync(join(folder, 'x/a/b'), 0o555);
    chmodSync(join(folder, 'x/a'), 0o555);
    chmodSync(join(folder, 'x/c'), 0o000);
    await removeTree(join(folder, 'x'));
  });
  expect(readdirSync(folder)).toEqual([]);
});

it('removes a file, a link alone, and nothing where nothing is', async () => {
  const folder = temporaryFolder();
  await writeTree(folder, { f: 'x', d: {}, l: linkTo('d') });
  for (const name of ['f', 'l', 'none']) await removeTree(join(folder, name));
  expect(readdirSync(folder)).toEqual(['d']);
});

it('says which tree it could not remove', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'f'), '');
  await expect(removeTree(join(folder, 'f/below'))).rejects.toMatchObject({
    id: 'io-failed',
    path: `${folder}/f/below`,
  });
  expect(existsSync(join(folder, 'f'))).toBe(true);
});
