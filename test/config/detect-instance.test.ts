import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { detectLayout } from '../../src/config/detect-instance.js';
import { sqliteFile } from '../../src/config/database-url.js';
import { failureOf, load, sourceNamed, writeSite } from './sites.js';

const storageUrl = 'DATABASE_URL="sqlite:///%kernel.project_dir%/var/storage/databases/system.brain"\n';

describe('the CMS without a configuration', () => {
  it('is known by var/system.brain', async () => {
    const site = await writeSite({ 'var/system.brain': '' });
    const config = await load(site);
    expect(config.sources).toEqual([
      { name: 'system.brain', scope: 'databases', enabled: true, type: 'sqlite', path: join(site, 'var/system.brain') },
      { name: 'user.brain', scope: 'databases', enabled: true, type: 'sqlite', path: join(site, 'var/user.brain') },
      {
        name: 'snapshots',
        scope: 'snapshots',
        enabled: true,
        type: 'directory',
        path: join(site, 'var/snapshots'),
        exclude: [],
      },
      {
        name: 'uploads',
        scope: 'uploads',
        enabled: true,
        type: 'directory',
        path: join(site, 'var/uploads'),
        exclude: [],
      },
      {
        name: 'config',
        scope: 'config',
        enabled: false,
        type: 'files',
        path: site,
        patterns: ['.env', '.env.local', '.backuprc*'],
        optional: true,
      },
    ]);
    expect(config).toMatchObject({ root: site, storage: join(site, 'var/backups'), configFile: undefined });
    expect(config.origins.root).toBe('default');
  });

  it('is known by the storage root of DATABASE_URL', async () => {
    const site = await writeSite({ '.env': storageUrl, 'var/storage/databases/system.brain': '' });
    const config = await load(site);
    const below = (path: string): string => join(site, 'var/storage', path);
    expect(config.sources.map((source) => source.path)).toEqual([
      below('databases/system.brain'),
      below('databases/user.brain'),
      below('snapshots'),
      below('uploads'),
      site,
    ]);
    expect(config.storage).toBe(below('backups'));
  });

  it('is found upward', async () => {
    const one = await writeSite({ 'var/system.brain': '', 'public/img/': '' });
    expect((await load(join(one, 'public/img'))).root).toBe(one);
    const two = await writeSite({ '.env.local': storageUrl, 'var/storage/databases/system.brain': '' });
    expect((await load(join(two, 'var/storage/databases'))).root).toBe(two);
  });

  it('may have its storage root outside', async () => {
    const data = await writeSite({ 'databases/system.brain': '' });
    const site = await writeSite({ '.env.local': `DATABASE_URL=sqlite:///${data}/databases/system.brain\n` });
    const config = await load(site);
    expect(config).toMatchObject({ root: site, storage: join(data, 'backups') });
    expect(sourceNamed(config, 'uploads').path).toBe(join(data, 'uploads'));
  });

  it('is no other Symfony project, and no folder that merely has a var', async () => {
    const other = await writeSite({
      '.env': 'DATABASE_URL="sqlite:///%kernel.project_dir%/var/data.db"\n',
      'var/data.db': '',
    });
    expect(await detectLayout(other)).toBeUndefined();
    const plain = await writeSite({ 'var/system.brain/': '', '.env/': '' });
    expect(await detectLayout(plain)).toBeUndefined();
  });

  it('believes .env.local over .env', async () => {
    const site = await writeSite({
      '.env': storageUrl,
      '.env.local': 'DATABASE_URL="mysql://user@localhost/site"\n',
      'var/storage/databases/system.brain': '',
    });
    expect(await detectLayout(site)).toBeUndefined();
  });

  it('believes DATABASE_URL over a leftover var/system.brain, but not over nothing', async () => {
    const moved = await writeSite({
      '.env': storageUrl,
      'var/system.brain': '',
      'var/storage/databases/system.brain': '',
    });
    expect((await detectLayout(moved))?.layout.databases).toBe(join(moved, 'var/storage/databases'));
    const planned = await writeSite({ '.env': storageUrl, 'var/system.brain': '' });
    expect((await detectLayout(planned))?.layout.databases).toBe(join(planned, 'var'));
  });

  it('is still known where its data is gone', async () => {
    const named = await writeSite({ '.env': storageUrl });
    expect((await detectLayout(named))?.layout.data).toBe(join(named, 'var/storage'));
    const half = await writeSite({ 'var/user.brain': '' });
    expect((await detectLayout(half))?.layout.data).toBe(join(half, 'var'));
  });

  it.skipIf(process.geteuid?.() !== 0)(
    'is not guessed where the file that names its databases cannot be read',
    async () => {
      const { chmod } = await import('node:fs/promises');
      const site = await writeSite({ 'var/system.brain': '', '.env.local': storageUrl });
      const named = await writeSite({
        'var/system.brain': '',
        '.env.local': storageUrl,
        '.backuprc': 'sources: {system.brain: {path: var/system.brain}}',
      });
      await chmod(join(named, '.backuprc'), 0o644);
      for (const folder of [site, named]) await chmod(folder, 0o755);
      for (const folder of [site, named]) await chmod(join(folder, 'var'), 0o755);
      await load(named);
      process.seteuid?.(65534);
      try {
        const failure = await failureOf(load(site));
        expect(failure.id).toBe('config-invalid');
        expect(failure.message).toContain(`${join(site, '.env.local')} cannot be read`);
        expect(sourceNamed(await load(named), 'system.brain').path).toBe(join(named, 'var/system.brain'));
      } finally {
        process.seteuid?.(0);
      }
    },
  );
});

describe('the file DATABASE_URL names', () => {
  it.each([
    ['sqlite:///%kernel.project_dir%/var/a.db', '/srv/site/var/a.db'],
    ['sqlite:////data/a.db', '/data/a.db'],
    ['sqlite:///var/a.db', '/srv/site/var/a.db'],
    ['sqlite://localhost/%kernel.project_dir%/a.db?mode=rw#x', '/srv/site/a.db'],
    ['pdo-sqlite:///%kernel.project_dir%/a.db', '/srv/site/a.db'],
    ['sqlite3:////data/my%20site/a.db', '/data/my site/a.db'],
    ['sqlite:///${DATA}/a.db', '/data/a.db'],
    ['sqlite:///$DATA/a.db', '/data/a.db'],
    ['sqlite:///%kernel.project_dir%/var/../x/a.db', '/srv/site/x/a.db'],
  ])('of %s is %s', (url, file) => {
    expect(sqliteFile(url, '/srv/site', { DATA: '/data' })).toBe(file);
  });

  it.each([
    'sqlite:///:memory:',
    'sqlite:///%kernel.cache_dir%/a.db',
    'sqlite:///${UNKNOWN}/a.db',
    'sqlite:///%E0%A4%A/a.db',
    'mysql://root@localhost/site',
    'sqlite:///a%00.db',
    '',
  ])('of %j is not known', (url) => {
    expect(sqliteFile(url, '/srv/site', {})).toBeUndefined();
  });
});
