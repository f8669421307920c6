import { symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { failureOf, load, writeSite } from './sites.js';

describe('precedence', () => {
  it('has defaults', async () => {
    const site = await writeSite({ '.backuprc': '{}' });
    expect(await load(site)).toMatchObject({
      instance: basename(site),
      format: 'zip',
      level: 3,
      maxPause: 4000,
      lockWait: 0,
      noInput: false,
      exclude: [],
      storage: join(site, 'var/backups'),
      origins: { root: 'file', storage: 'default', format: 'default', level: 'default' },
    });
  });

  it('is flags, environment, file, and tells which it was', async () => {
    const site = await writeSite({
      'site/.backuprc':
        'format: tar.gz\nlevel: 1\nstorage: from-file\ninstance: other\nmaxPause: none\nexclude: [a/b]\n',
    });
    const cwd = join(site, 'site');
    expect(await load(cwd)).toMatchObject({
      instance: 'other',
      maxPause: 'none',
      exclude: ['a/b'],
      format: 'tar.gz',
      level: 1,
      storage: join(cwd, 'from-file'),
      origins: { root: 'file', storage: 'file', format: 'file', level: 'file' },
    });
    const env = { BKP_FORMAT: 'zip', BKP_LEVEL: '2', BKP_STORAGE: 'from-env', BKP_LOCK_WAIT: '2', BKP_NO_INPUT: '1' };
    expect(await load(cwd, {}, { ...env, BKP_ROOT: '.' })).toMatchObject({
      format: 'zip',
      level: 2,
      storage: join(cwd, 'from-env'),
      lockWait: 2000,
      noInput: true,
      origins: { root: 'env', storage: 'env', format: 'env', level: 'env' },
    });
    const flags = { root: '.', format: 'tar.gz', level: '0', storage: 'from-flag', lockWait: '1m', noInput: false };
    expect(await load(cwd, flags, { ...env, BKP_ROOT: 'elsewhere' })).toMatchObject({
      format: 'tar.gz',
      level: 0,
      storage: join(cwd, 'from-flag'),
      lockWait: 60_000,
      noInput: false,
      origins: { root: 'flag', storage: 'flag', format: 'flag', level: 'flag' },
    });
  });

  it('of the root is -C, BKP_ROOT, root:, the folder of the file, the detected one', async () => {
    const site = await writeSite({
      'conf/.backuprc': 'root: ../app',
      'app/var/system.brain': '',
      'app/sub/': '',
      'env/': '',
      'flag/': '',
    });
    const config = join(site, 'conf/.backuprc');
    const rootOf = async (flags: object, env = {}): Promise<string> =>
      (await load(join(site, 'app/sub'), flags, env)).root;
    expect(await rootOf({ config, root: '../../flag' }, { BKP_ROOT: join(site, 'env') })).toBe(join(site, 'flag'));
    expect(await rootOf({ config }, { BKP_ROOT: join(site, 'env') })).toBe(join(site, 'env'));
    expect(await rootOf({ config })).toBe(join(site, 'app'));
    expect(await rootOf({})).toBe(join(site, 'app'));
  });
});

describe('paths', () => {
  it('in the file are relative to the file, of sources to the root, in flags and environment to the working folder', async () => {
    const site = await writeSite({
      'conf/.backuprc': 'root: ../app\nstorage: backups\nsources: {x: {type: directory, path: ../shared/x}}\n',
      'app/': '',
      'work/': '',
    });
    const cwd = join(site, 'work');
    const config = await load(cwd, { config: '../conf/.backuprc' });
    expect(config).toMatchObject({ root: join(site, 'app'), storage: join(site, 'conf/backups') });
    expect(config.sources).toMatchObject([{ path: join(site, 'shared/x') }]);
    expect((await load(cwd, { config: '../conf/.backuprc', storage: 's' })).storage).toBe(join(cwd, 's'));
    expect((await load(cwd, {}, { BKP_CONFIG: '../conf/.backuprc', BKP_STORAGE: 's' })).storage).toBe(join(cwd, 's'));
  });

  it('of the root are real', async () => {
    const site = await writeSite({ 'releases/1/.backuprc': '{}' });
    await symlink('releases/1', join(site, 'current'));
    const config = await load(site, { root: 'current' });
    expect(config).toMatchObject({ root: join(site, 'releases/1'), instance: '1' });
    expect(config.configFile).toBe(join(site, 'current/.backuprc'));
  });
});

describe('faults', () => {
  it('are told all at once, each with its place', async () => {
    const site = await writeSite({ '.backuprc': 'level: 11\nstorge: x\nsources: {uploads: {path: 5}}\n' });
    const failure = await failureOf(load(site, { format: 'rar' }, { BKP_LEVEL: 'x', BKP_LOCK_WAIT: 'y' }));
    expect(failure).toMatchObject({ id: 'config-invalid', exitCode: 2 });
    const file = join(site, '.backuprc');
    expect(failure.message.split('\n').map((line) => line.trim())).toEqual([
      'the configuration is not valid:',
      '--format must be zip or tar.gz, not "rar"',
      'BKP_LEVEL must be a whole number from 0 (store) to 9 (smallest), not "x"',
      expect.stringMatching(/^BKP_LOCK_WAIT must be a duration such as /),
      `${file}: storge is not a known key: did you mean "storage"?`,
      `${file}: level must be a whole number from 0 (store) to 9 (smallest), not 11`,
      `${file}: sources.uploads.path must be a path, not 5`,
    ]);
    expect(failure.hint).toBeDefined();
  });

  it('are told where the file is a list or a text', async () => {
    const site = await writeSite({ '.backuprc': '- level: 1' });
    expect((await failureOf(load(site))).message).toContain(
      `${join(site, '.backuprc')}: must be a map of keys, not a list`,
    );
  });

  it('in the environment are told even where nothing is found', async () => {
    const nowhere = await writeSite();
    const request = { cwd: nowhere, env: { BKP_FORMAT: 'x' }, flags: {}, optional: true } as const;
    expect((await failureOf(loadConfig(request))).id).toBe('config-invalid');
  });

  it('about where to look end the search', async () => {
    const site = await writeSite({ '.backuprc': 'level: 11' });
    const failure = await failureOf(load(site, {}, { BKP_ROOT: '~/site' }));
    expect(failure.message).toContain('BKP_ROOT must be written out');
    expect(failure.message).not.toContain('.backuprc');
  });

  it('of root: are told with the file', async () => {
    const site = await writeSite({ '.backuprc': 'root: nowhere' });
    const failure = await failureOf(load(site));
    expect(failure.id).toBe('config-invalid');
    expect(failure.message).toContain(`${join(site, '.backuprc')}: root ${join(site, 'nowhere')} is not there`);
  });
});

describe('where nothing is found', () => {
  it('says where it looked and what to pass', async () => {
    const nowhere = await writeSite({ 'a/': '' });
    const failure = await failureOf(load(join(nowhere, 'a')));
    expect(failure).toMatchObject({ id: 'root-not-found', exitCode: 2 });
    expect(failure.message).toContain(`${join(nowhere, 'a')}, ${nowhere}, `);
    expect(failure.hint).toContain('-C');
  });

  it('is undefined for a command that can do without', async () => {
    const nowhere = await writeSite();
    expect(await loadConfig({ cwd: nowhere, env: {}, flags: {}, optional: true })).toBeUndefined();
  });

  it('is not undefined where an instance is there, nor where a given one is not', async () => {
    const site = await writeSite({ 'var/system.brain': '' });
    expect(await loadConfig({ cwd: site, env: {}, flags: {}, optional: true })).toMatchObject({ root: site });
    for (const flags of [{ root: 'no' }, { config: 'no' }]) {
      const failure = await failureOf(loadConfig({ cwd: site, env: {}, flags, optional: true }));
      expect(failure.exitCode).toBe(2);
    }
  });

  it('names a root that is no folder', async () => {
    const site = await writeSite({ file: '' });
    expect(await failureOf(load(site, { root: 'no' }))).toMatchObject({
      id: 'root-not-found',
      message: `there is no folder ${join(site, 'no')}`,
      path: join(site, 'no'),
    });
    expect((await failureOf(load(site, { root: 'file' }))).message).toContain('is not a folder');
    expect((await failureOf(load(site, {}, { BKP_ROOT: 'no' }))).hint).toContain('BKP_ROOT');
  });

  it('takes a given root for an instance of the CMS that lost its data', async () => {
    const empty = await writeSite();
    const config = await load('/', { root: empty });
    expect(config.sources.map(({ name }) => name)).toEqual([
      'system.brain',
      'user.brain',
      'snapshots',
      'uploads',
      'config',
    ]);
    expect(config.origins.root).toBe('flag');
  });
});
