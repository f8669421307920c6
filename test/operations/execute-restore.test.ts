import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  create,
  database,
  describeTree,
  directory,
  expectRestored,
  failure,
  instance,
  newTarget,
  restore,
  siteCopy,
  type Instance,
} from '../helpers/instance.js';
import { isRoot, temporaryFolder, tinyFileSystem, unprivilegedAsync } from '../helpers/surroundings.js';
import { bytes, withMeta } from '../helpers/tree.js';
import { craft } from './crafted-archive.js';
import { silentProgress } from '../../src/base/progress.js';
import { withCleanup } from '../../src/base/cleanup.js';
import { fileBackup } from '../../src/operations/backup-file.js';
import { planRestore } from '../../src/operations/plan-restore.js';
import { deps } from '../helpers/instance.js';

const site = (): Promise<Instance> =>
  instance({ data: { f: 'x', sub: { g: bytes(2_000_000) } }, more: { h: 'y' } }, [
    directory('data'),
    directory('more', { path: 'more' }),
  ]);

describe('the target of a restore', () => {
  it('is made with all folders above it, or filled where it is empty', async () => {
    const from = await site();
    const { file } = await create(from);
    const absent = join(newTarget(), 'deep/er');
    await restore(file, absent);
    expectRestored(join(absent, 'data'), join(from.root, 'data'));
    const empty = temporaryFolder();
    chmodSync(empty, 0o2775);
    const before = lstatSync(empty);
    await restore(file, empty);
    expectRestored(join(empty, 'data'), join(from.root, 'data'));
    expect(readdirSync(empty)).toEqual(['data', 'more']);
    expect([lstatSync(empty).ino, lstatSync(empty).mode]).toEqual([before.ino, before.mode]);
  });

  it.each<[string, (target: string) => void]>([
    ['a folder with a file', (target) => [mkdirSync(target), writeFileSync(join(target, 'mine'), 'precious')]],
    ['a folder with a hidden file', (target) => [mkdirSync(target), writeFileSync(join(target, '.mine'), 'precious')]],
    ['a file', (target) => writeFileSync(target, 'precious')],
    ['a link to an empty folder', (target) => [mkdirSync(`${target}.real`), symlinkSync(`${target}.real`, target)]],
    ['a link to nothing', (target) => symlinkSync('nothing', target)],
  ])('is refused where it is %s', async (_, make) => {
    const { file } = await create(await site());
    const target = newTarget();
    make(target);
    const before = describeTree(join(target, '..'));
    const error = await failure(restore(file, target));
    expect([error.id, error.exitCode]).toEqual(['target-not-empty', 15]);
    expect(describeTree(join(target, '..'))).toEqual(before);
  });

  it('is refused where something is put there while the restore runs', async () => {
    const { file } = await create(await site());
    for (const exists of [true, false]) {
      const target = newTarget();
      if (exists) mkdirSync(target);
      const put = (phase: string): void => {
        if (phase !== 'stage') return;
        mkdirSync(target, { recursive: true });
        writeFileSync(join(target, 'data'), 'precious');
      };
      const error = await failure(restore(file, target, {}, { progress: { ...silentProgress, start: put } }));
      expect(['target-not-empty', 'target-unwritable']).toContain(error.id);
      expect(readdirSync(join(target, '..'))).toEqual(['restored']);
      expect(readdirSync(target)).toEqual(['data']);
      expect(readFileSync(join(target, 'data'), 'utf8')).toBe('precious');
    }
  });

  it('may hold what a killed restore left', async () => {
    const from = await site();
    const { file } = await create(from);
    const target = temporaryFolder();
    mkdirSync(join(target, '.bkp-restore.staging/tree/half'), { recursive: true });
    writeFileSync(join(target, '.bkp-restore.staging.lock'), '');
    await restore(file, target);
    expect(readdirSync(target)).toEqual(['data', 'more']);
  });

  it('stays absent where it cannot be made', async () => {
    const { file } = await create(await site());
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    expect((await failure(restore(file, join(folder, 'file/target')))).id).toBe('target-unwritable');
    chmodSync(folder, 0o555);
    chmodSync(file, 0o644);
    chmodSync(join(file, '..'), 0o755);
    expect((await failure(unprivilegedAsync(() => restore(file, join(folder, 'target'))))).exitCode).toBe(1);
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('is not begun where there is not enough space, and let go of where that shows later', async ({ skip }) => {
    const disk = tinyFileSystem(1_000_000);
    if (disk === undefined) return skip('only root may mount a small file system');
    const { file } = await create(await site());
    const target = join(disk, 'target');
    expect(await failure(restore(file, target))).toMatchObject({
      id: 'no-space',
      message: expect.stringMatching(/^restoring needs .* MiB; .* free at \S+: .* too little$/) as string,
    });
    const five = await craft({
      entries: [
        { path: 'data/f', content: bytes(900_000) },
        { path: 'data/g', content: bytes(900_000) },
      ],
      manifest: ({ sources: _, totals: __, ...rest }) => rest,
    });
    expect((await failure(restore(five, target))).id).toBe('no-space');
    expect(readdirSync(disk)).toEqual([]);
  });
});

describe('what a restore does', () => {
  it('restores the sources that are named, and refuses those that are not there', async () => {
    const { file } = await create(siteCopy());
    const target = newTarget();
    await restore(file, target, { only: ['user.brain', 'config'] });
    expect(Object.keys(describeTree(target))).toEqual(['.', './.env', './.env.local', './var', './var/user.brain']);
    const error = await failure(restore(file, newTarget(), { only: ['user.brain', 'none'] }));
    expect([error.id, error.exitCode]).toEqual(['source-unknown', 2]);
    expect(error.hint).toContain('system.brain');
  });

  it('keeps folders that are read-only, also as a user who is not root', async () => {
    const from = await instance({ data: withMeta({ sub: withMeta({ f: 'x' }, { mode: 0o555 }) }, { mode: 0o555 }) }, [
      directory('data'),
    ]);
    const { file } = await create(from);
    chmodSync(file, 0o644);
    chmodSync(`${file}.sha256`, 0o644);
    chmodSync(join(file, '..'), 0o755);
    for (const target of [newTarget(), temporaryFolder()]) {
      await unprivilegedAsync(() => restore(file, target, { owner: 'self' }));
      expect(describeTree(target)).toMatchObject({ './data': { mode: 0o555 }, './data/sub': { mode: 0o555 } });
      if (isRoot) expect(describeTree(target)).toMatchObject({ './data/sub/f': { uid: 65534 } });
    }
  });

  it('says so where owners cannot be given, and keeps set-id bits to itself then', async ({ skip }) => {
    if (!isRoot) return skip('only root may give files away');
    const from = await instance({ data: { f: withMeta('x', { uid: 1234, gid: 1234, mode: 0o6755 }) } }, [
      directory('data'),
    ]);
    const { file } = await create(from);
    chmodSync(file, 0o644);
    chmodSync(`${file}.sha256`, 0o644);
    chmodSync(join(file, '..'), 0o755);
    const target = newTarget();
    const { findings } = await unprivilegedAsync(() => restore(file, target));
    expect(findings.map(({ id }) => id)).toEqual(['owner-not-restored']);
    expect(describeTree(target)['./data/f']?.mode).toBe(0o755);
    const whole = newTarget();
    expect((await restore(file, whole)).findings).toEqual([]);
    expect(describeTree(whole)['./data/f']).toMatchObject({ uid: 1234, gid: 1234, mode: 0o6755 });
  });

  it('does not restore a database that fails its check, though its bytes are what was archived', async () => {
    const facts = {
      pageSize: 4096,
      pageCount: 1,
      journalMode: 'wal',
      userVersion: 0,
      applicationId: 0,
      schemaHash: '',
      integrity: 'ok',
      snapshotGroup: 1,
    };
    const file = await craft({
      entries: [{ path: 'a.db', content: Buffer.concat([Buffer.from('SQLite format 3\0'), bytes(5000)]) }],
      manifest: (honest) => ({
        ...honest,
        sources: (honest['sources'] as object[]).map((one) => ({ ...one, type: 'sqlite', sqlite: facts })),
      }),
    });
    const target = newTarget();
    const error = await failure(restore(file, target));
    expect([error.id, error.exitCode]).toEqual(['archive-damaged', 14]);
    expect(error.message).toContain('database-damaged');
    expect(existsSync(target)).toBe(false);
  });

  it('plans without writing anything', async () => {
    const from = await instance({ data: { f: 'x' } }, [directory('data'), database('gone.db')]);
    const { file } = await create(from);
    const target = join(newTarget(), 'deep');
    await withCleanup(async (cleanup) => {
      const request = {
        file: fileBackup(file),
        target,
        only: undefined,
        allowUnverified: false,
        allowRepacked: false,
        owner: 'archive',
      } as const;
      const plan = await planRestore(request, deps(), cleanup);
      expect(plan.sources).toEqual([{ name: 'data', place: 'data', selected: true, files: 1, bytes: 1 }]);
      expect(plan.findings.map(({ id }) => id)).toEqual(['source-missing']);
      expect(plan.free).toBeGreaterThan(0);
      const looked = await planRestore({ ...request, target: undefined }, deps(), cleanup);
      expect([looked.bytes, looked.free]).toEqual([1, undefined]);
    });
    expect(readdirSync(join(target, '../..'))).toEqual([]);
  });

  it('proves the archive again while it writes: one that was changed since the plan is not restored', async () => {
    const { file } = await create(await site());
    const target = newTarget();
    const change = (phase: string): void => {
      if (phase !== 'stage') return;
      const altered = readFileSync(file);
      altered.fill(0, altered.length >> 1, (altered.length >> 1) + 10);
      rmSync(`${file}.sha256`);
      writeFileSync(file, altered);
    };
    const error = await failure(restore(file, target, {}, { progress: { ...silentProgress, start: change } }));
    expect(error.id).toBe('archive-damaged');
    expect(readdirSync(join(target, '..'))).toEqual([]);
  });
});
