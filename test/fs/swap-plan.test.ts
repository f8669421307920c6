import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, lstatSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Move } from '../../src/fs/swap-move.js';
import { planSwap } from '../../src/fs/swap-plan.js';
import { isRoot, tinyFileSystem, unprivilegedAsync } from '../helpers/surroundings.js';
import { linkTo, type Tree } from '../helpers/tree.js';
import { everyKind, one, scene, snapshot, type Scene } from './swap-scenes.js';

const plan = ({ folder, moves }: Scene) => planSwap(folder, moves);

async function expectImpossible(made: Scene, message: RegExp): Promise<void> {
  const before = snapshot(made.root);
  const attempt = plan(made);
  await expect(attempt).rejects.toMatchObject({ id: 'swap-impossible', exitCode: 15 });
  await expect(attempt).rejects.toThrow(message);
  expect(snapshot(made.root)).toEqual(before);
  expect(readdirSync(made.folder).filter((name) => name.startsWith('swap-'))).toEqual([]);
}

const folderMove = (live: Tree, staged: Tree, more: { carry?: string[] } = {}) =>
  one({ f: live }, { f: staged }, 'f', { kind: 'folder', ...more });

describe('the plan of a swap', () => {
  it('touches nothing live', async () => {
    const made = await everyKind();
    const before = snapshot(made.root);
    const steps = await plan(made);
    expect(snapshot(made.root)).toEqual(before);
    expect(steps.map(({ kind, live }) => `${kind} ${live.slice(made.root.length)}`)).toEqual([
      'database /var/system.brain',
      'database /var/user.brain',
      'entry /var/system.brain-wal',
      'entry /var/uploads',
      'carry /var/uploads/cache',
      'carry /var/uploads/deep/er/kept',
      'entry /var/snapshots',
      'entry /mount/going',
      'entry /mount/one',
      'entry /mount/two',
      'entry /mount/three',
      'carry /mount/two/inner',
      'entry /.env',
      'entry /link',
    ]);
  });

  it('records what lies where', async () => {
    const made = await one({ db: 'old' }, { db: 'new!' }, 'db', { kind: 'database' });
    const live = join(made.root, 'db');
    const { dev, ino, mtimeNs } = lstatSync(live, { bigint: true });
    const [step] = await plan(made);
    const place = join(made.folder, 'swap-1');
    expect(step).toMatchObject({ kind: 'database', live, aside: `${place}/aside/0/db`, place });
    expect(step?.old).toEqual({ kind: 'file', dev: `${dev}`, ino: `${ino}`, size: '3', mtime: `${mtimeNs}` });
    expect(step).toMatchObject({ new: { staged: `${made.folder}/new/db`, identity: { size: '4' } } });
  });

  it('never uses the place of an earlier swap', async () => {
    const made = await everyKind();
    await plan(made);
    const [step] = await plan(made);
    expect(step?.place).toBe(join(made.folder, 'swap-2'));
  });

  it('makes the folders of what is carried in the staged tree, as the live ones are', async () => {
    const made = await folderMove({ a: { b: { own: 'x' } } }, {}, { carry: ['a/b/own', 'a/b', 'none/of/this'] });
    const time = 1_000_000_000;
    chmodSync(join(made.root, 'f/a'), 0o2750);
    utimesSync(join(made.root, 'f/a'), time, time);
    const steps = await plan(made);
    expect(steps.map(({ live }) => live)).toEqual([join(made.root, 'f'), join(made.root, 'f/a/b')]);
    const copy = lstatSync(join(made.folder, 'new/f/a'));
    expect(copy.mode & 0o7777).toBe(0o2750);
    expect(copy.mtimeMs).toBe(time * 1000);
    expect(readdirSync(join(made.folder, 'new/f/a'))).toEqual([]);
  });
});

describe('a swap that cannot be done is refused beforehand:', () => {
  it('the staged tree has something where a thing is to be carried', async () => {
    await expectImpossible(await folderMove({ c: 'mine' }, { c: 'new' }, { carry: ['c'] }), /carried over/);
    await expectImpossible(await folderMove({ a: { c: 'x' } }, { a: 'file' }, { carry: ['a/c'] }), /carried over/);
  });

  it('something is missing, or of another kind', async () => {
    const database = { kind: 'database' } as const;
    await expectImpossible(await one({ db: 'old' }, {}, 'db', database), /new\/db cannot be moved: it is missing/);
    await expectImpossible(await one({ db: {} }, { db: 'x' }, 'db', database), /not a regular file/);
    await expectImpossible(await one({ db: linkTo('x') }, { db: 'x' }, 'db', database), /not a regular file/);
    await expectImpossible(await one({ db: 'x' }, { db: {} }, 'db', database), /not a regular file/);
    await expectImpossible(await one({ m: 'x' }, { m: {} }, 'm', { kind: 'children' }), /not a folder/);
    await expectImpossible(await one({}, { 'a/b': 'x' }, 'a/b', database).catch(() => nowhere()), /is missing/);
  });

  it('a child that is to stay was staged', async () => {
    const made = await one({ m: { a: 'x' } }, { m: { a: 'y' } }, 'm', { kind: 'children', keep: ['a'] });
    await expectImpossible(made, /is to stay/);
  });

  it('a child has a name that is not UTF-8', async () => {
    const made = await one({ m: {} }, { m: { a: 'y' } }, 'm', { kind: 'children' });
    writeFileSync(Buffer.concat([Buffer.from(`${made.root}/m/`), Buffer.from([0xff])]), '');
    await expect(plan(made)).rejects.toThrow(/not valid UTF-8/);
  });

  it('two moves want the same place, or a folder that is moved holds the room', async () => {
    const made = await one({ f: 'x' }, { f: 'y' }, 'f', { kind: 'file' });
    await expectImpossible({ ...made, moves: [...made.moves, ...made.moves] }, /two moves/);
    const inside = await scene({ f: { room: {} } }, { f: {} }, (root, folder) => [
      { kind: 'folder', live: join(root, 'f'), staged: join(folder, 'new/f'), room: join(root, 'f/room') },
    ]);
    await expectImpossible(inside, /lies in it/);
    const journal = await folderMove({}, {});
    await expect(planSwap(join(journal.root, 'f/.bkp-restore'), journal.moves)).rejects.toThrow(/lies in it/);
  });

  it('both are one file', async () => {
    const made = await one({ f: 'x' }, {}, 'f', { kind: 'file' });
    linkSync(join(made.root, 'f'), join(made.folder, 'new/f'));
    await expectImpossible(made, /same file/);
  });

  it('a path is not one of ours', async () => {
    const made = await folderMove({}, {});
    for (const wrong of ['/x', '../x', './x', 'a/../x', 'a//b', 'a/', '', '.', '..']) {
      const moves = made.moves.map((move): Move => ({ ...move, kind: 'folder', carry: [wrong] }) as Move);
      await expect(planSwap(made.folder, moves)).rejects.toThrow(RangeError);
    }
    for (const live of ['f', `${made.root}/f/`, `${made.root}/../f`]) {
      const moves = made.moves.map((move): Move => ({ ...move, live }));
      await expect(planSwap(made.folder, moves)).rejects.toThrow(RangeError);
    }
  });

  it('the room is on another file system, or the live folder is a mount point', async ({ skip }) => {
    const other = tinyFileSystem(1024 * 1024);
    if (other === undefined) return skip();
    const made = await folderMove({ a: 'old' }, { a: 'new' });
    await expectImpossible({ ...made, moves: made.moves.map((move) => ({ ...move, room: other })) }, /file system/);
    const mounted = await folderMove({}, { a: 'new' });
    const at = join(mounted.root, 'f');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=65536', 'tmpfs', at]);
    try {
      await expectImpossible(mounted, /mount point/);
      const child = await one({ m: { x: {} } }, { m: {} }, 'm', { kind: 'children' });
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=65536', 'tmpfs', join(child.root, 'm/x')]);
      try {
        await expectImpossible(child, /mount point/);
      } finally {
        execFileSync('umount', [join(child.root, 'm/x')]);
      }
    } finally {
      execFileSync('umount', [at]);
    }
  });

  it.runIf(isRoot)('a folder is not ours to write', async () => {
    const made = await folderMove({ a: 'old' }, { a: 'new' });
    chmodSync(made.folder, 0o755);
    await expect(unprivilegedAsync(() => plan(made))).rejects.toMatchObject({ id: 'io-failed' });
  });
});

/** A database whose folder does not exist. */
function nowhere(): Promise<Scene> {
  return scene({}, { db: 'x' }, (root, folder) => [
    { kind: 'database', live: join(root, 'none/db'), staged: join(folder, 'new/db'), room: folder },
  ]);
}
