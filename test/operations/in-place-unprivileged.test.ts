import { chmodSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemSwapIo } from '../../src/fs/swap-io.js';
import { restoreOver } from '../helpers/in-place.js';
import { bkp, hasTool, jsonLines } from '../helpers/cli.js';
import { create, describeTree, directory, failure, instance, stored } from '../helpers/instance.js';
import { isRoot, unprivilegedAsync } from '../helpers/surroundings.js';
import { expectTree, withMeta } from '../helpers/tree.js';

const modeOf = (path: string): number => lstatSync(path).mode & 0o7777;

/** What is carried over and back leaves its mark on the times of the folder it lies in. */
const withoutTimes = (folder: string): unknown =>
  Object.entries(describeTree(folder)).map(([path, { type, mode, uid, content }]) => [path, type, mode, uid, content]);

describe('without the rights of root', () => {
  it('replaces folders that their owner may not write to, and puts them back where that fails', async () => {
    await unprivilegedAsync(async () => {
      const tree = { a: 'first', sub: withMeta({ b: 'first' }, { mode: 0o555 }) };
      const made = await instance({ pages: tree, other: { c: 'first' } }, [
        directory('pages', { exclude: ['sub/cache'] }),
        directory('other'),
      ]);
      const pages = join(made.root, 'pages');
      chmodSync(pages, 0o555);
      const { file } = await create(made);
      chmodSync(join(pages, 'sub'), 0o755);
      mkdirSync(join(pages, 'sub/cache'));
      writeFileSync(join(pages, 'sub/cache/mine'), 'carried');
      chmodSync(join(pages, 'sub'), 0o555);
      writeFileSync(join(pages, 'a'), 'second');
      const before = withoutTimes(pages);

      // The last of the moves fails: the journal cannot say that it is done.
      const rename = (from: string, to: string): void => {
        if (!to.endsWith('journal.committed.json')) return systemSwapIo.rename(from, to);
        throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
      };
      const error = await failure(restoreOver(made, file, { io: { ...systemSwapIo, rename } }));
      expect(error.exitCode).toBe(17);
      expect(withoutTimes(pages)).toEqual(before);

      const { kept } = await restoreOver(made, file);
      expect(kept).toEqual([]);
      await expectTree(pages, { a: 'first', sub: { b: 'first', cache: { mine: 'carried' } } });
      expect([modeOf(pages), modeOf(join(pages, 'sub'))]).toEqual([0o555, 0o555]);
    });
  });

  it.skipIf(!isRoot)('keeps all of before aside where some of it may not be read, and names it', async () => {
    const made = await unprivilegedAsync(async () => {
      const started = await instance({ pages: { a: 'first' } }, [directory('pages', { exclude: ['cache'] })]);
      const { file } = await create(started);
      const pages = join(started.root, 'pages');
      mkdirSync(join(pages, 'closed'));
      mkdirSync(join(pages, 'cache'));
      for (const path of ['a', 'secret', 'closed/inner', 'cache/mine']) writeFileSync(join(pages, path), 'second');
      chmodSync(join(pages, 'secret'), 0o000);
      chmodSync(join(pages, 'closed'), 0o000);
      return { ...started, ...(await restoreOver(started, file)) };
    });
    expect(made.safety?.complete).toBe(false);
    await expectTree(join(made.root, 'pages'), { a: 'first', cache: { mine: 'second' } });
    const kept = made.kept.map(({ path }) => path).sort();
    expect(kept.map((path) => path.replace(/^.*\/pages\//, ''))).toEqual(['a', 'closed/inner', 'secret']);
    for (const path of kept) expect(readFileSync(path, 'utf8')).toBe('second');
    expect(modeOf(kept.find((path) => path.endsWith('secret'))!)).toBe(0);
  });

  it.skipIf(!hasTool('setpriv'))(
    'is refused before anything is done where a folder may not be written to',
    async () => {
      const made = await unprivilegedAsync(async () => {
        const started = await instance({ pages: { a: 'first' }, sub: { pages: { b: 'first' } } }, []);
        const sources = {
          pages: { type: 'directory', path: 'pages' },
          inner: { type: 'directory', path: 'sub/pages' },
        };
        writeFileSync(join(started.root, '.backuprc.json'), JSON.stringify({ sources, storage: '../storage' }));
        chmodSync(join(started.root, '.backuprc.json'), 0o600);
        return started;
      });
      const user = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
      const run = (...args: string[]) => bkp([...args, '-C', made.root, '--json'], { under: user });
      const id = String(jsonLines(await run('create')).at(-1)?.['id']);
      chmodSync(join(made.root, 'sub'), 0o555);
      const before = [describeTree(made.root), stored(made)];
      const ran = await run('restore', id, '--confirm', id);
      expect(jsonLines(ran).at(-1)).toMatchObject({ id: 'target-unwritable', path: join(made.root, 'sub') });
      expect(ran.code).toBe(1);
      expect([describeTree(made.root), stored(made)]).toEqual(before);
    },
  );
});
