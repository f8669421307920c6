import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  create,
  database,
  describeTree,
  directory,
  failure,
  files,
  instance,
  newTarget,
  restore,
  stored,
  verify,
} from '../helpers/instance.js';
import { isRoot, unprivilegedAsync } from '../helpers/surroundings.js';
import { bytes, linkTo } from '../helpers/tree.js';
import { briefly, expectLosses } from './losses.js';

const containers = ['zip', 'tar.gz'] as const;

describe.each(containers)('what cannot be read, in a %s', (container) => {
  it('tells a missing source, and keeps the others', async () => {
    const from = await instance({ data: { f: 'x' } }, [directory('data'), directory('gone'), database('gone.db')]);
    const made = await create(from, { container });
    const target = await expectLosses(made, 'source-missing gone', 'source-missing gone.db');
    expect(made.manifest.includes).toEqual(['data']);
    expect(Object.keys(describeTree(target))).toEqual(['.', './data', './data/f']);
  });

  it('tells a source that is something else than it should be', async () => {
    const from = await instance({ data: { f: 'x' }, file: '', folder: {} }, [
      directory('data'),
      directory('file'),
      database('folder'),
      directory('below', { path: 'file/below' }),
    ]);
    const made = await create(from, { container });
    await expectLosses(made, 'file-unreadable file', 'file-unreadable folder', 'source-missing below');
  });

  it('tells files and folders that may not be read', async () => {
    const from = await instance({ data: { closed: 'x', large: bytes(1_200_000), locked: { f: '' }, open: 'y' } }, [
      directory('data'),
    ]);
    for (const name of ['closed', 'large', 'locked']) chmodSync(join(from.root, 'data', name), 0);
    if (isRoot) chownSync(from.root, 65534, 65534);
    const made = await unprivilegedAsync(() => create(from, { container }));
    const target = await expectLosses(
      made,
      'file-unreadable data/closed',
      'file-unreadable data/large',
      'file-unreadable data/locked',
    );
    chmodSync(join(target, 'data/locked'), 0o700);
    expect(Object.keys(describeTree(target))).toEqual(['.', './data', './data/locked', './data/open']);
  });

  it('tells names that are not UTF-8, escaped', async () => {
    const from = await instance({ data: { good: '' } }, [directory('data')]);
    writeFileSync(Buffer.from(`${from.root}/data/bad\xff`, 'latin1'), 'x');
    symlinkSync(Buffer.from('to\xfe', 'latin1'), join(from.root, 'data/link'));
    const made = await create(from, { container });
    await expectLosses(made, 'name-not-utf8 data/bad\\xff', 'name-not-utf8 data/link');
  });

  it('tells links that leave their source', async () => {
    const from = await instance(
      {
        secret: 'x',
        data: { sub: { up: linkTo('../../secret'), inside: linkTo('../f') }, f: '', abs: linkTo('/etc/passwd') },
      },
      [directory('data')],
    );
    const made = await create(from, { container });
    const target = await expectLosses(made, 'link-leaves-source data/abs', 'link-leaves-source data/sub/up');
    expect(describeTree(target)['./data/sub/inside']).toMatchObject({ type: 'link', content: '../f' });
  });
});

it('mentions pipes and sockets, which hold nothing that could be lost', async () => {
  const from = await instance({ data: { f: '' } }, [directory('data')]);
  execFileSync('mkfifo', [join(from.root, 'data/pipe')]);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(from.root, 'data/socket'), resolve));
  onTestFinished(() => void server.close());
  const made = await create(from);
  expect(briefly(made.findings)).toEqual(['special-file data/pipe', 'special-file data/socket']);
  expect([made.complete, (await verify(made.file)).verdict]).toEqual([true, 'intact']);
});

describe('where nothing can be read', () => {
  it('makes no archive of missing sources, says which, and leaves nothing behind', async () => {
    const from = await instance({}, [directory('gone'), database('gone.db'), files('config', ['*'], { path: 'none' })]);
    const error = await failure(create(from));
    expect([error.id, error.exitCode]).toEqual(['nothing-readable', 1]);
    for (const name of ['gone', 'gone.db', 'config']) expect(error.message).toContain(name);
    expect(stored(from)).toEqual([]);
  });

  it('makes none of a folder that may not be listed either', async () => {
    const from = await instance({ data: { f: '' } }, [directory('data')]);
    chmodSync(join(from.root, 'data'), 0);
    const error = await failure(unprivilegedAsync(() => create(from)));
    expect(error.id).toBe('nothing-readable');
    expect(stored(from)).toEqual([]);
  });

  it('makes one of a folder that is merely empty', async () => {
    const from = await instance({ data: {} }, [directory('data'), directory('gone')]);
    await expectLosses(await create(from), 'source-missing gone');
  });

  it('keeps the older backups', async () => {
    const from = await instance({ data: { f: 'x' } }, [directory('data')]);
    const older = await create(from);
    rmSync(join(from.root, 'data'), { recursive: true });
    expect((await failure(create(from))).id).toBe('nothing-readable');
    expect(stored(from)).toEqual([`${older.id}.zip`, `${older.id}.zip.sha256`]);
    expect((await verify(older.file)).verdict).toBe('intact');
    await restore(older.file, newTarget());
  });
});
