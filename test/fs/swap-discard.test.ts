import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Journal } from '../../src/fs/journal.js';
import { discardAside, type Discarded } from '../../src/fs/swap-discard.js';
import { commitSwap } from '../../src/fs/swap.js';
import { isRoot, unprivilegedAsync } from '../helpers/surroundings.js';
import { linkTo } from '../helpers/tree.js';
import {
  everyKind,
  expectedAfter,
  journalOf,
  one,
  snapshot,
  sorted,
  systemError,
  watchedIo,
  type Scene,
} from './swap-scenes.js';

async function committed(made: Scene): Promise<Journal> {
  const journal = await journalOf(made);
  await commitSwap(journal);
  return journal;
}

it('removes all that is proven, and what it made itself', async () => {
  const made = await everyKind();
  const journal = await journalOf(made);
  const wanted = expectedAfter(made);
  await commitSwap(journal);
  const asked: string[] = [];
  const prove = ({ live, path, stat }: Discarded): boolean => {
    expect(stat.ino).toBe(lstatSync(path, { bigint: true }).ino);
    asked.push(live.slice(made.root.length));
    return true;
  };
  expect(await discardAside(journal, prove)).toEqual([]);
  expect(asked.sort()).toEqual([
    '/.env',
    '/link',
    '/mount/going',
    '/mount/one',
    '/mount/two/old',
    '/var/system.brain',
    '/var/system.brain-wal',
    '/var/uploads/a.png',
    '/var/uploads/gone/f',
  ]);
  expect(sorted(snapshot(made.root))).toEqual(sorted(wanted));
  expect(readdirSync(made.folder).sort()).toEqual(['journal.committed.json', 'new']);
  expect(await discardAside(journal, prove)).toEqual([]);
});

it('keeps and names all else', async () => {
  const tree = { a: 'proven', sub: { b: 'not', c: 'proven' }, done: { d: 'proven' }, l: linkTo('x'), empty: {} };
  const made = await one({ f: tree }, { f: {} }, 'f', { kind: 'folder' });
  writeFileSync(Buffer.concat([Buffer.from(`${made.root}/f/sub/`), Buffer.from([0xff])]), '');
  const journal = await committed(made);
  const aside = join(made.folder, 'swap-1/aside/0/f');
  const kept = await discardAside(journal, ({ path }) => !path.endsWith('/b') && !path.endsWith('/l'));
  expect([...kept].sort((x, y) => (x.path < y.path ? -1 : 1))).toEqual([
    { path: `${aside}/l`, reason: 'it is not proven to be in a backup' },
    { path: `${aside}/sub/\\xff`, reason: 'its name is not valid UTF-8' },
    { path: `${aside}/sub/b`, reason: 'it is not proven to be in a backup' },
  ]);
  expect(readdirSync(aside).sort()).toEqual(['l', 'sub']);
  expect(readFileSync(`${aside}/sub/b`, 'utf8')).toBe('not');
});

it('empties folders that their owner may not write, and leaves their mode as it was where something stays', async () => {
  const made = await one({ f: { locked: { a: 'proven', b: 'not' }, shut: { c: 'proven' } } }, { f: {} }, 'f', {
    kind: 'folder',
  });
  chmodSync(join(made.root, 'f/locked'), 0o500);
  chmodSync(join(made.root, 'f/shut'), 0o000);
  const journal = await committed(made);
  const aside = join(made.folder, 'swap-1/aside/0/f');
  expect(await discardAside(journal, ({ path }) => !path.endsWith('/b'))).toHaveLength(1);
  expect(readdirSync(aside)).toEqual(['locked']);
  expect(lstatSync(`${aside}/locked`).mode & 0o777).toBe(0o500);
  expect(readdirSync(`${aside}/locked`)).toEqual(['b']);
});

it.runIf(isRoot)('keeps and names what it may not remove', async () => {
  const made = await one({ f: { a: 'proven' } }, { f: {} }, 'f', { kind: 'folder' });
  const journal = await committed(made);
  for (const folder of [made.folder, 'swap-1', 'swap-1/aside', 'swap-1/aside/0']) {
    chmodSync(folder.startsWith('/') ? folder : join(made.folder, folder), 0o755);
  }
  const kept = await unprivilegedAsync(() => discardAside(journal, () => true));
  const reason = 'EACCES: permission denied';
  expect(kept).toEqual([
    { path: join(made.folder, 'swap-1/aside/0/f/a'), reason },
    { path: join(made.folder, 'swap-1'), reason },
  ]);
  expect(existsSync(join(made.folder, 'swap-1/aside/0/f/a'))).toBe(true);
});

it('removes what was staged once the swap was undone, and nothing while it is undecided', async () => {
  const made = await everyKind();
  const journal = await journalOf(made);
  await expect(discardAside(journal, () => true)).rejects.toThrow(RangeError);
  const before = snapshot(made.root);
  const io = watchedIo((_, call, path) => {
    if (call === 'rename' && path.endsWith('new/link')) throw systemError('EIO', call, path);
  });
  await expect(commitSwap(journal, io)).rejects.toMatchObject({ id: 'restore-rolled-back' });
  expect(await discardAside(journal, () => true)).toEqual([]);
  expect(snapshot(made.root)).toEqual(before);
  expect(readdirSync(join(made.folder, 'new'))).toEqual(['mount']);
  expect(readdirSync(made.folder).sort()).toEqual(['journal.undone.json', 'new']);
});
