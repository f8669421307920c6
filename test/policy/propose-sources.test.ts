import { describe, expect, it } from 'vitest';
import { sourceNameFault } from '../../src/config/path-rules.js';
import type { FoundData, FoundDatabase } from '../../src/policy/found-data.js';
import { nothingClaimed, type Claimed, type ProposedSource } from '../../src/policy/proposal.js';
import { proposeSources } from '../../src/policy/propose-sources.js';
import { oddNames } from '../helpers/surroundings.js';

const database = (path: string, live = false): FoundDatabase => ({ path, bytes: 4096, journalMode: 'wal', live });

/** What a look would find where these lie; their folders are added. */
function found(
  paths: readonly string[],
  more: Partial<FoundData> & { readonly others?: readonly string[] } = {},
): FoundData {
  const { others = [], ...rest } = more;
  const folders = new Set<string>();
  for (const path of [...paths, ...others]) {
    const segments = path.split('/');
    for (let count = 1; count < segments.length; count++) folders.add(segments.slice(0, count).join('/'));
  }
  return {
    databases: paths.map((path) => database(path)),
    folders,
    disposable: [],
    links: [],
    files: new Set(),
    ...rest,
  };
}

const propose = (data: FoundData, claimed: Partial<Claimed> = {}) =>
  proposeSources(data, { ...nothingClaimed, ...claimed });

/** `name=path` of databases, `name/=path` of folders. */
const shown = (sources: readonly ProposedSource[]): readonly string[] =>
  sources.flatMap((source) => {
    if (source.type === 'files') return [];
    return [`${source.name}${source.type === 'directory' ? '/' : ''}=${source.path}`];
  });

describe('where nothing is known of the application', () => {
  it('every database is a source, and so is the folder it lies in', () => {
    const { sources } = propose(found(['app/state/main.db', 'app/state/log.db', 'lib/x/y.sqlite']));
    expect(shown(sources)).toEqual([
      'log.db=app/state/log.db',
      'main.db=app/state/main.db',
      'y.sqlite=lib/x/y.sqlite',
      'state/=app/state',
      'x/=lib/x',
    ]);
  });

  it('a folder around whose name says data is taken as a whole', () => {
    const { sources } = propose(found(['storage/app/main.db', 'storage/other/x.db']));
    expect(shown(sources)).toEqual(['main.db=storage/app/main.db', 'x.db=storage/other/x.db', 'storage/=storage']);
  });

  it('folders of files are known by their names', () => {
    const data = found(['main.db'], {
      others: ['uploads/x', 'public/media/x', 'src/x'],
      files: new Set(['package.json']),
    });
    const { sources, uncovered } = propose(data);
    expect(shown(sources)).toEqual(['main.db=main.db', 'uploads/=uploads', 'media/=public/media']);
    expect(uncovered).toEqual(['src']);
  });

  it('a folder of nothing but data is taken as a whole', () => {
    const { sources, uncovered } = propose(found(['main.db'], { others: ['ab/cd/x', 'ef/x'] }));
    expect(shown(sources)).toEqual(['main.db=main.db', 'data/=.']);
    expect(uncovered).toEqual([]);
  });

  it('leaves out what is made again, but not what a user may have named so', () => {
    const data = found(['data/x.db'], { disposable: ['data/cache', 'data/a/tmp', 'data/a/b/cache', 'tmp'] });
    const folder = propose(data).sources.find(({ type }) => type === 'directory');
    expect(folder).toMatchObject({ exclude: [{ glob: 'cache/**' }, { glob: 'a/tmp/**' }] });
  });

  it('of many databases in one folder, those in use come first, and the rest is left to the folder', () => {
    const many = Array.from({ length: 50 }, (_, n) =>
      database(`data/tenants/${String(n).padStart(2, '0')}.db`, n === 49),
    );
    const { sources, unnamed } = propose({ ...found(['data/tenants/00.db']), databases: many });
    const named = sources.filter(({ type }) => type === 'sqlite').map(({ name }) => name);
    expect(named).toHaveLength(20);
    expect(named).toContain('49.db');
    expect(unnamed).toEqual([]);
    expect(shown(sources)).toContain('data/=data');
  });

  it('tells databases that no source can name', () => {
    const { sources, unnamed } = propose(
      found(['new\nline.db', 'data/new\nline.db'], { files: new Set(['Makefile']) }),
    );
    expect(shown(sources)).toEqual(['data/=data']);
    expect(unnamed).toEqual(['new\nline.db']);
  });
});

describe('names', () => {
  it('are unique where case is folded, and longer where they must be', () => {
    const { sources } = propose(found(['a/x.db', 'b/x.db', 'B/X.DB', 'c/b/x.db']));
    const names = sources.map(({ name }) => name);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
    expect(names.slice(0, 4)).toEqual(['X.DB', 'a-x.db', 'b-x.db', 'c-b-x.db']);
  });

  it('can be those of sources, whatever files are called', () => {
    const names = [
      ...oddNames.filter((name) => !/\p{Cc}/u.test(name)),
      'SHA256SUMS',
      'manifest.json',
      'c:',
      'constructor',
    ];
    const { sources, unnamed } = propose(found(names.flatMap((name) => [`data/${name}`, `data/more/${name}`])));
    expect(unnamed).toEqual([]);
    expect(sources.filter(({ type }) => type === 'sqlite')).toHaveLength(20);
    for (const name of names) {
      const all = propose(found([`data/${name}`, `data/more/${name}`])).sources.filter(({ type }) => type === 'sqlite');
      expect(all).toHaveLength(2);
      for (const source of all) expect(sourceNameFault(source.name)).toBeUndefined();
    }
  });
});

describe('links', () => {
  const data = (target: string, to: 'folder' | 'file' = 'folder'): FoundData =>
    found(['data/x.db'], { others: ['data/link/x'], links: [{ path: 'data/link', to, target }] });

  it('out of a folder to another one are sources, and cut out', () => {
    for (const target of ['/mnt/files', 'elsewhere']) {
      expect(shown(propose(data(target)).sources)).toEqual(['x.db=data/x.db', 'data/=data', 'link/=data/link']);
    }
  });

  it('to files elsewhere, or to what is a source already, are left out', () => {
    const others = propose({ ...data('uploads/a'), folders: new Set(['data', 'uploads']) });
    for (const { sources } of [propose(data('/etc/x', 'file')), others]) {
      expect(sources.find(({ name }) => name === 'data')).toMatchObject({ exclude: [{ glob: 'link' }] });
      expect(shown(sources)).not.toContain('link/=data/link');
    }
  });

  it('that stay in their folder are part of it', () => {
    const folder = propose(data('data/other')).sources.find(({ name }) => name === 'data');
    expect(folder).toMatchObject({ exclude: [] });
  });

  it('to one place are one source', () => {
    const links = ['data/a', 'data/b'].map((path) => ({ path, to: 'folder' as const, target: '/mnt' }));
    const { sources } = propose(found(['data/x.db'], { links }));
    expect(shown(sources)).toEqual(['x.db=data/x.db', 'data/=data', 'a/=data/a']);
    expect(sources.find(({ name }) => name === 'data')).toMatchObject({ exclude: [{ glob: 'b' }] });
  });
});

describe('known layouts', () => {
  it.each([
    { at: 'the volume of PocketBase', paths: ['data.db', 'auxiliary.db'], application: 'PocketBase' },
    { at: 'the volume of Vaultwarden', paths: ['db.sqlite3'], others: ['icon_cache/x'], application: 'Vaultwarden' },
    { at: 'the volume of Rails', paths: ['production.sqlite3', 'production_cache.sqlite3'], application: 'Rails' },
    { at: 'the volume of Gitea', paths: ['gitea/gitea.db'], others: ['git/x', 'ssh/x'], application: 'Gitea' },
    { at: 'the volume of Uptime Kuma', paths: ['kuma.db'], application: 'Uptime Kuma' },
    { at: 'the content of Ghost', paths: ['data/ghost.db'], others: ['themes/x'], application: 'Ghost' },
  ])('are recognised in $at', ({ paths, others = [], application }) => {
    const { applications, sources } = propose(found(paths, { others }));
    expect(applications).toEqual([application]);
    const folders = sources.filter(({ type }) => type === 'directory').map((source) => 'path' in source && source.path);
    expect(folders).toEqual(application === 'Gitea' ? ['gitea', 'git', 'ssh'] : ['.']);
  });

  it('need more than a common name', () => {
    expect(propose(found(['data/db.sqlite3'])).applications).toEqual([]);
    expect(propose(found(['data.db'])).applications).toEqual([]);
  });

  it('may be several in one folder', () => {
    const { applications, sources } = propose(found(['pb_data/data.db', 'pb_data/auxiliary.db', 'data/kuma.db']));
    expect(applications).toEqual(['PocketBase', 'Uptime Kuma']);
    expect(shown(sources).filter((one) => one.includes('/='))).toEqual(['pb_data/=pb_data', 'data/=data']);
  });

  it('keep databases that are thrown away, and copies, out of the sources', () => {
    const { sources } = propose(
      found(['pb_data/data.db', 'pb_data/auxiliary.db', 'pb_data/.pb_temp_to_delete/data.db']),
    );
    expect(shown(sources)).toEqual([
      'auxiliary.db=pb_data/auxiliary.db',
      'data.db=pb_data/data.db',
      'pb_data/=pb_data',
    ]);
  });
});

describe('what is claimed', () => {
  it('is not proposed again, and neither is a folder around it', () => {
    const data = found(['var/system.brain', 'var/other.db', 'var/uploads/x.db', 'more/x.db']);
    const claimed = { databases: ['var/system.brain'], folders: ['var/uploads'], names: ['system.brain', 'uploads'] };
    const { sources, uncovered } = propose(data, claimed);
    expect(shown(sources)).toEqual(['x.db=more/x.db', 'other.db=var/other.db', 'more/=more']);
    expect(uncovered).toEqual([]);
  });

  it('takes its names', () => {
    expect(shown(propose(found(['a/uploads/x.db']), { names: ['uploads', 'x.db'] }).sources)).toEqual([
      'uploads-x.db=a/uploads/x.db',
      'a-uploads/=a/uploads',
    ]);
  });

  it('of a root as a whole leaves nothing', () => {
    expect(propose(found(['a/x.db', 'pb_data/data.db']), { folders: ['.'] }).sources).toEqual([]);
  });
});
