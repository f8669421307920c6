import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { roomName } from '../../src/operations/own-folders.js';
import { recoverIn, restoreOver } from '../helpers/in-place.js';
import { rewrite, rowOf } from '../helpers/in-place-database.js';
import { create, database, directory, instance, newTarget, restore, type Instance } from '../helpers/instance.js';
import { otherFileSystem, tinyFileSystem } from '../helpers/surroundings.js';
import { expectTree, writeTree } from '../helpers/tree.js';

/** An instance with data on a file system of its own. */
async function onTwo(elsewhere: string): Promise<{ made: Instance; file: string }> {
  await writeTree(elsewhere, { pages: { a: 'first', b: 'first' } });
  const made = await instance({ here: { c: 'first' } }, [
    directory('here'),
    directory('pages', { path: join(elsewhere, 'pages') }),
    database('app.db', { path: join(elsewhere, 'app.db') }),
  ]);
  rewrite(join(elsewhere, 'app.db'), 'first');
  const { file } = await create(made);
  await writeTree(elsewhere, { pages: { a: 'second', new: 'second' } });
  rmSync(join(elsewhere, 'pages/b'));
  rewrite(join(elsewhere, 'app.db'), 'second');
  writeFileSync(join(made.root, 'here/c'), 'second');
  return { made, file };
}

describe('with sources on another file system', () => {
  it('stages and swaps there, and leaves nothing', async ({ skip }) => {
    const elsewhere = otherFileSystem();
    if (elsewhere === undefined) return skip();
    const { made, file } = await onTwo(elsewhere);
    const { kept, safety } = await restoreOver(made, file);
    expect([kept, rowOf(join(elsewhere, 'app.db'))]).toEqual([[], 'first']);
    await expectTree(join(elsewhere, 'pages'), { a: 'first', b: 'first' });
    await expectTree(made.root, { here: { c: 'first' } });
    expect(readdirSync(elsewhere).sort()).toEqual(['app.db', 'pages']);
    const target = newTarget();
    await restore(safety!.file, target);
    await expectTree(join(target, 'pages'), { a: 'second', new: 'second' });
  });

  it('names later what was kept there, as long as it lies there', async ({ skip }) => {
    const elsewhere = otherFileSystem();
    if (elsewhere === undefined) return skip();
    const { made, file } = await onTwo(elsewhere);
    const { kept } = await restoreOver(made, file, { safetyBackup: false });
    const room = join(elsewhere, roomName(made.root));
    const paths = kept.map(({ path }) => path);
    expect(paths.filter((path) => path.startsWith(room) && path.endsWith('/pages/new'))).toHaveLength(1);
    // What a restore says that was killed before its last word.
    expect((await recoverIn(made)).kept).toEqual(kept);
    for (const folder of [room, join(made.root, '.bkp-restore')]) rmSync(join(folder, 'swap-1'), { recursive: true });
    expect((await recoverIn(made)).kept).toEqual([]);
    expect([existsSync(room), existsSync(join(made.root, '.bkp-restore'))]).toEqual([false, false]);
  });

  it('removes what a killed restore had staged there', async ({ skip }) => {
    const elsewhere = otherFileSystem();
    if (elsewhere === undefined) return skip();
    const { made } = await onTwo(elsewhere);
    const room = join(elsewhere, roomName(made.root));
    await writeTree(elsewhere, { [roomName(made.root)]: { stage: { 0: { a: 'staged' } } } });
    // Of another instance that has data there too.
    await writeTree(elsewhere, { '.bkp-restore-01234567': { stage: { 0: { a: 'staged' } } } });
    expect(await recoverIn(made)).toMatchObject({ outcome: 'nothing', kept: [] });
    expect(existsSync(room)).toBe(false);
    expect(readFileSync(join(elsewhere, '.bkp-restore-01234567/stage/0/a'), 'utf8')).toBe('staged');
  });
});

it('restores a source that is a mount point child by child, and backs up nothing of its own or of the file system', async ({
  skip,
}) => {
  const mounted = tinyFileSystem(8 * 1024 * 1024);
  if (mounted === undefined) return skip();
  await writeTree(mounted, { a: 'first', 'lost+found': { '#12': 'found' } });
  const made = await instance({}, [directory('data', { path: mounted })]);
  const { file } = await create(made);
  await writeTree(mounted, { a: 'second', new: 'second' });
  mkdirSync(join(mounted, roomName(made.root)));
  writeFileSync(join(mounted, roomName(made.root), 'kept-1.json'), 'left by an earlier one');
  const { kept, safety } = await restoreOver(made, file);
  expect(kept).toEqual([]);
  rmSync(join(mounted, roomName(made.root)), { recursive: true });
  await expectTree(mounted, { a: 'first', 'lost+found': { '#12': 'found' } });
  const target = newTarget();
  await restore(safety!.file, target);
  await expectTree(target, { data: { a: 'second', new: 'second' } });
});
