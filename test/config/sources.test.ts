import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.js';
import { failureOf, load, sourceNamed, writeSite } from './sites.js';

const cmsNames = ['system.brain', 'user.brain', 'snapshots', 'uploads', 'config'];
const names = (config: Config): string[] => config.sources.map(({ name }) => name);

async function site(config: string, files: Record<string, string> = {}): Promise<string> {
  return writeSite({ '.backuprc': config, ...files });
}

describe('sources beside the defaults of the CMS', () => {
  it('change only the fields they give', async () => {
    const root = await site(
      'sources: {uploads: {exclude: ["*.tmp"]}, snapshots: {enabled: false}, config: {enabled: true, paths: [.env]}, system.brain: {path: db/s.brain, scope: core}}',
    );
    const config = await load(root);
    expect(names(config)).toEqual(cmsNames);
    expect(sourceNamed(config, 'uploads')).toMatchObject({
      path: join(root, 'var/uploads'),
      exclude: ['*.tmp'],
      enabled: true,
    });
    expect(sourceNamed(config, 'snapshots')).toMatchObject({ enabled: false, scope: 'snapshots' });
    expect(sourceNamed(config, 'config')).toMatchObject({ enabled: true, patterns: ['.env'], path: root });
    expect(sourceNamed(config, 'system.brain')).toMatchObject({
      path: join(root, 'db/s.brain'),
      scope: 'core',
      type: 'sqlite',
    });
    expect(sourceNamed(config, 'user.brain')).toMatchObject({ path: join(root, 'var/user.brain'), enabled: true });
  });

  it('may be of another type than the default', async () => {
    const config = await load(await site('sources: {uploads: {type: files, paths: ["img/*.png"]}}'));
    expect(sourceNamed(config, 'uploads')).toMatchObject({ type: 'files', patterns: ['img/*.png'], scope: 'uploads' });
    expect(sourceNamed(config, 'uploads')).not.toHaveProperty('exclude');
  });

  it('come after them, in the order of the file', async () => {
    const root = await site(
      'sources: {zeta: {type: directory, path: z}, uploads: {enabled: false}, alpha: {type: sqlite, path: a.db}}',
      { 'var/system.brain': '' },
    );
    expect(names(await load(root))).toEqual([...cmsNames, 'zeta', 'alpha']);
  });

  it('stand in the storage-root layout too', async () => {
    const root = await site('sources: {uploads: {exclude: [x]}, extra: {type: directory, path: extra}}', {
      '.env': 'DATABASE_URL=sqlite:///%kernel.project_dir%/data/databases/system.brain',
      'data/databases/system.brain': '',
    });
    const config = await load(root);
    expect(sourceNamed(config, 'uploads').path).toBe(join(root, 'data/uploads'));
    expect(sourceNamed(config, 'extra').path).toBe(join(root, 'extra'));
    expect(config.storage).toBe(join(root, 'data/backups'));
  });
});

describe('whether the defaults of the CMS hold', () => {
  it('they do where a file names no source of its own, even where the data is gone', async () => {
    expect(names(await load(await site('level: 1')))).toEqual(cmsNames);
    expect(names(await load(await site('sources: {}')))).toEqual(cmsNames);
    expect(names(await load(await site('sources: {uploads: {type: directory, path: up}}')))).toEqual(cmsNames);
  });

  it('they do not where a file names its own and nothing looks like the CMS', async () => {
    const config = await load(await site('sources: {data: {type: directory, path: data}}'));
    expect(names(config)).toEqual(['data']);
    const mixed = await load(
      await site('sources: {b: {type: directory, path: b}, uploads: {type: directory, path: up, enabled: false}}'),
    );
    expect(names(mixed)).toEqual(['b', 'uploads']);
    expect(sourceNamed(mixed, 'uploads').enabled).toBe(false);
  });

  it('they do where an entry only makes sense as a change to one', async () => {
    const config = await load(await site('sources: {data: {type: directory, path: data}, system.brain: {}}'));
    expect(names(config)).toEqual([...cmsNames, 'data']);
  });
});

describe('a source of its own', () => {
  it('has the scope databases or its own name, and is on', async () => {
    const root = await site(
      'sources: {db: {type: sqlite, path: d.db}, data: {type: directory, path: data}, conf: {type: files, paths: [conf/*.yml]}}',
    );
    expect((await load(root)).sources).toEqual([
      { name: 'db', scope: 'databases', enabled: true, type: 'sqlite', path: join(root, 'd.db') },
      { name: 'data', scope: 'data', enabled: true, type: 'directory', path: join(root, 'data'), exclude: [] },
      {
        name: 'conf',
        scope: 'conf',
        enabled: true,
        type: 'files',
        path: root,
        patterns: ['conf/*.yml'],
        optional: false,
      },
    ]);
  });

  it('is off in the scope config unless it says otherwise', async () => {
    const config = await load(
      await site(
        'sources: {a: {type: files, paths: [.env], scope: config}, b: {type: files, paths: [.env], scope: config, enabled: true}}',
      ),
    );
    expect(config.sources.map(({ enabled }) => enabled)).toEqual([false, true]);
  });

  it('may have an absolute path, and lie inside another', async () => {
    const config = await load(
      await site(
        'sources: {pb: {type: directory, path: pb}, db: {type: sqlite, path: pb/data.db}, etc: {type: directory, path: /etc}}',
      ),
    );
    expect(sourceNamed(config, 'etc').path).toBe('/etc');
  });
});

describe('two sources at one place', () => {
  it('are a fault', async () => {
    const root = await site('sources: {a: {type: directory, path: x}, b: {type: directory, path: y/../x}}');
    const failure = await failureOf(load(root));
    expect(failure.id).toBe('config-invalid');
    expect(failure.message).toContain(
      `${join(root, '.backuprc')}: sources.b is the same as source "a": both are ${join(root, 'x')}`,
    );
  });

  it('are a fault where a link makes them one, also one to a place that is not there yet', async () => {
    const root = await site(
      'sources: {a: {type: directory, path: x}, b: {type: directory, path: link}, c: {type: sqlite, path: x/new/d.db}, d: {type: sqlite, path: link/new/d.db}}',
      { 'x/': '' },
    );
    await symlink('x', join(root, 'link'));
    const { message } = await failureOf(load(root));
    expect(message).toContain('sources.b is the same as source "a"');
    expect(message).toContain('sources.d is the same as source "c"');
  });

  it('are a fault where one of them is a default', async () => {
    const root = await site('sources: {media: {type: directory, path: var/uploads}}', { 'var/system.brain': '' });
    expect((await failureOf(load(root))).message).toContain('sources.media is the same as source "uploads"');
  });

  it('are none where both are single files', async () => {
    const config = await load(
      await site(
        'sources: {a: {type: files, paths: [x]}, b: {type: files, paths: [y]}, all: {type: directory, path: .}}',
      ),
    );
    expect(names(config)).toEqual(['a', 'b', 'all']);
  });
});

describe('the storage', () => {
  it('may lie in a source', async () => {
    const root = await site('storage: data/backups\nsources: {data: {type: directory, path: data}}');
    expect((await load(root)).storage).toBe(join(root, 'data/backups'));
  });

  it('may not be a source', async () => {
    const root = await site('storage: data\nsources: {data: {type: directory, path: data}}');
    const failure = await failureOf(load(root));
    expect(failure.id).toBe('config-invalid');
    expect(failure.message).toContain(`${join(root, '.backuprc')}: storage must not hold what is backed up`);
  });

  it('may not hold a source, by real path, and names the flag or variable that made it', async () => {
    const root = await site('sources: {data: {type: directory, path: data}}', { 'data/x/': '' });
    await symlink('.', join(root, 'here'));
    expect((await failureOf(load(root, { storage: 'here' }))).message).toContain('--storage: storage must not hold');
    expect((await failureOf(load(root, {}, { BKP_STORAGE: '.' }))).message).toContain(
      'BKP_STORAGE: storage must not hold',
    );
  });

  it('may not be the root of single files', async () => {
    const root = await site('storage: .\nsources: {env: {type: files, paths: [.env]}}');
    expect((await failureOf(load(root))).message).toContain('storage must not hold what is backed up');
  });
});
