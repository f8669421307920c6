import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  create,
  createRequest,
  deps,
  describeTree,
  directory,
  files,
  instance,
  newTarget,
  restore,
  verify,
  type CreateOptions,
  type Instance,
} from '../helpers/instance.js';
import { linkTo } from '../helpers/tree.js';
import { briefly } from './losses.js';
import { planCreate } from '../../src/operations/plan-create.js';
import type { Source } from '../../src/operations/source.js';
import { LocalStorage } from '../../src/storage/local-storage.js';

/** Everything a backup restores, by path. */
async function roundTrip(from: Instance, options: CreateOptions = {}): Promise<readonly string[]> {
  const made = await create(from, options);
  expect(made.findings).toEqual([]);
  const planned = planCreate(createRequest(from, options), deps());
  expect(planned.files).toBe(made.manifest.totals.files);
  expect((await verify(made.file)).verdict).toBe('intact');
  const target = newTarget();
  await restore(made.file, target);
  return Object.keys(describeTree(target)).slice(1);
}

describe('folder sources', () => {
  it('leave out what the globs of the source and of the run say', async () => {
    const tree = { data: { cache: { x: '' }, keep: { 'a.tmp': '', a: '' }, 'b.tmp': '' }, more: { cache: { y: '' } } };
    const from = await instance(tree, [directory('data', { exclude: ['cache/**'] }), directory('more')]);
    expect(await roundTrip(from, { excludes: ['**/*.tmp'] })).toEqual(
      ['data', 'data/cache', 'data/keep', 'data/keep/a', 'more', 'more/cache', 'more/cache/y'].map(
        (path) => `./${path}`,
      ),
    );
    const made = await create(from, { excludes: ['**/*.tmp'], leftOut: ['config'] });
    expect(made.manifest.excludes).toEqual(['config', '**/*.tmp']);
  });

  it('never take in the storage, wherever it lies', async () => {
    const from = await instance({ data: { f: '', var: { g: '' } } }, [directory('data')]);
    const inside = { ...from, storage: new LocalStorage(join(from.root, 'data/var/backups')) };
    const first = await create(inside);
    const paths = ['./data', './data/f', './data/var', './data/var/g'];
    expect(await roundTrip(inside)).toEqual(paths);
    symlinkSync('data/var/backups', join(from.root, 'link'));
    expect(await roundTrip({ ...from, storage: new LocalStorage(join(from.root, 'link')) })).toEqual(paths);
    expect((await verify(first.file)).verdict).toBe('intact');
  });

  it('never take in what a restore or another run of ours keeps in the root', async () => {
    const from = await instance({ f: '', '.bkp-restore': { x: '' }, '.bkp-staging': { y: '' } }, [
      directory('all', { path: '.' }),
    ]);
    expect(await roundTrip(from)).toEqual(['./f']);
  });

  it('never take in the archive itself where it is written into one', async () => {
    const from = await instance({ data: { f: '' } }, [directory('data')]);
    const output = join(from.root, 'data/backup.zip');
    const made = await create(from, { output });
    expect([made.file, briefly(made.findings), made.manifest.totals.files]).toEqual([output, [], 1]);
    expect((await verify(output)).verdict).toBe('intact');
  });

  it('are cut out of those around them', async () => {
    const from = await instance({ out: { a: '', in: { b: '', deep: { c: '' } } } }, [
      directory('out'),
      directory('in', { path: 'out/in' }),
      directory('deep', { path: 'out/in/deep' }),
    ]);
    const made = await create(from);
    expect(made.manifest.sources.map(({ name, files: count }) => [name, count])).toEqual([
      ['out', 1],
      ['in', 1],
      ['deep', 1],
    ]);
    expect(await roundTrip(from)).toEqual([
      './out',
      './out/a',
      './out/in',
      './out/in/b',
      './out/in/deep',
      './out/in/deep/c',
    ]);
  });

  it('may be reached by a link, and are restored where that lies', async () => {
    const from = await instance({ var: { x: '' } }, [directory('uploads', { path: 'var/uploads' })]);
    const elsewhere = `${from.root}-elsewhere`;
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'f'), 'far away');
    symlinkSync(elsewhere, join(from.root, 'var/uploads'));
    const made = await create(from);
    expect(made.manifest.sources).toMatchObject([{ name: 'uploads', path: 'var/uploads', files: 1 }]);
    expect(await roundTrip(from)).toEqual(['./var', './var/uploads', './var/uploads/f']);
    // The link itself is no link of the source around it.
    const both = { ...from, sources: [directory('var', { path: join(from.root, 'var') }), ...from.sources] };
    expect(await roundTrip(both)).toEqual(['./var', './var/uploads', './var/uploads/f', './var/x']);
  });

  it('outside of the root come back under their names', async () => {
    const from = await instance({ data: { f: '' } }, [directory('data')]);
    const outside = `${from.root}-outside`;
    renameSync(join(from.root, 'data'), outside);
    expect(await roundTrip({ ...from, sources: [directory('data', { path: outside })] })).toEqual([
      './data',
      './data/f',
    ]);
  });

  it('of single files take what the patterns name, and no more', async () => {
    const tree = {
      '.env': '',
      '.env.local': '',
      'x.txt': '',
      etc: { 'a.conf': '', 'b.txt': '', deep: { 'c.conf': '' } },
      lib: { 'd.conf': '' },
    };
    const from = await instance(tree, []);
    const of = (...patterns: readonly string[]): Promise<readonly string[]> =>
      roundTrip({ ...from, sources: [files('config', patterns, { path: from.root })] });
    expect(await of('.env*')).toEqual(['./.env', './.env.local']);
    expect(await of('etc/*.conf', 'x.txt')).toEqual(['./etc', './etc/a.conf', './x.txt']);
    expect(await of('{etc/deep,lib}/*.conf')).toEqual(expect.arrayContaining(['./etc/deep/c.conf', './lib/d.conf']));
    expect((await of('**/*.conf')).filter((path) => path.endsWith('.conf'))).toHaveLength(3);
    expect(await of('none*', 'lib/d.conf')).toEqual(['./lib', './lib/d.conf']);
  });

  it('of single files lose what is named and not there, unless it may be missing', async () => {
    const from = await instance({ 'x.txt': '' }, []);
    const lost = async (patterns: readonly string[], optional = false): Promise<readonly unknown[]> => {
      const source = { ...files('config', patterns, { path: from.root }), optional } as Source;
      const request = { ...from, sources: [source] };
      const planned = planCreate(createRequest(request, {}), deps()).findings.map(({ id, path }) => [id, path]);
      const made = await create({ ...request, sources: [source, directory('also', { path: from.root })] });
      const findings = made.findings.map(({ id, path }) => [id, path]);
      expect(findings).toEqual(planned);
      return findings;
    };
    expect(await lost(['x.txt', 'key.pem', '*.none'])).toEqual([['source-missing', 'config/key.pem']]);
    expect(await lost(['x.txt', 'key.pem'], true)).toEqual([]);
    expect(await lost(['key.pem'], true)).toEqual([['source-missing', 'config']]);
    expect(await lost(['*.none'])).toEqual([['source-missing', 'config']]);
  });

  it('may hold links to themselves and to nothing', async () => {
    const from = await instance({ data: { loop: linkTo('loop'), up: linkTo('.'), none: linkTo('gone/x') } }, [
      directory('data'),
    ]);
    expect(await roundTrip(from)).toEqual(['./data', './data/loop', './data/none', './data/up']);
  });
});
