import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.js';

function faultsOf(raw: unknown): Record<string, string> {
  const parsed = parseConfig(raw);
  return parsed.ok ? {} : Object.fromEntries(parsed.faults.map(({ at, says }) => [at, says]));
}

const source = (fields: object): unknown => ({ sources: { notes: fields } });

describe('parseConfig', () => {
  it('takes an empty map: every key may be left out', () => {
    expect(parseConfig({})).toEqual({ ok: true, file: { sources: new Map() } });
  });

  it('takes every key', () => {
    const parsed = parseConfig({
      instance: 'site',
      root: '.',
      storage: '/mnt/backups',
      format: 'tar.gz',
      level: 0,
      maxPause: '250ms',
      exclude: ['uploads/cache/**', '!(a|b)/x'],
      sources: {
        db: { type: 'sqlite', path: 'data.db', scope: 'databases', enabled: false },
        files: { type: 'directory', path: 'files', exclude: ['*.tmp'] },
        settings: { type: 'files', paths: ['.env', 'conf/*.yml'] },
      },
    });
    expect(parsed).toMatchObject({ ok: true, file: { level: 0, maxPause: 250, format: 'tar.gz' } });
    expect(parsed.ok && [...parsed.file.sources.keys()]).toEqual(['db', 'files', 'settings']);
  });

  it('refuses what is not a map', () => {
    for (const raw of [[], 'text', 5, new Date(0), new Uint8Array(2), null]) {
      expect(faultsOf(raw)).toEqual({ '': expect.stringMatching(/^must be a map of keys, not /) as string });
    }
  });

  it('reports all faults at once, each with its place', () => {
    const faults = faultsOf({
      instance: '',
      storage: '~/backups',
      format: 'rar',
      level: 10,
      maxPause: 'soon',
      exclude: ['a', '/b', 5],
      rotation: {},
      sorces: {},
      sources: {
        'system.brain': { paths: ['x'], enabled: 'yes' },
        notes: { type: 'directory', pth: 'x' },
        'a/b': { type: 'sqlite', path: 'x' },
      },
    });
    expect(faults).toEqual({
      instance: 'must be a text of one line, not ""',
      storage: 'must be written out, not "~/backups": only a shell expands "~"',
      format: 'must be zip or tar.gz, not "rar"',
      level: 'must be a whole number from 0 (store) to 9 (smallest), not 10',
      maxPause: expect.stringMatching(
        /^must be a duration such as .*, not "soon"; "none" accepts any pause$/,
      ) as string,
      'exclude[1]': 'must be relative, not "/b"',
      'exclude[2]': 'must be a glob, not 5',
      rotation: expect.stringMatching(/^is not a known key: the keys are instance, /) as string,
      sorces: 'is not a known key: did you mean "sources"?',
      'sources["system.brain"].paths': 'is not a key of a source of type sqlite, which has path',
      'sources["system.brain"].enabled': 'must be true or false, not "yes"',
      'sources.notes.pth': 'is not a known key: did you mean "path"?',
      'sources.notes.path': 'must be given for a source of type directory',
      'sources["a/b"]': expect.stringContaining('must be one path segment') as string,
    });
  });

  it('refuses the keys of later versions', () => {
    for (const key of ['safetyBackups']) {
      expect(faultsOf({ [key]: {} })[key]).toMatch(/^is not a known key/);
    }
  });

  it('reports every unknown key, and suggests one whatever its case', () => {
    const faults = faultsOf({ maxpause: 1, max_pause: 1, Storage: 'x', quarantine: 1 });
    expect(Object.keys(faults)).toHaveLength(4);
    expect(faults['maxpause']).toContain('did you mean "maxPause"?');
    expect(faults['max_pause']).toContain('did you mean "maxPause"?');
    expect(faults['Storage']).toContain('did you mean "storage"?');
    expect(faults['quarantine']).not.toContain('did you mean');
  });

  it('refuses keys that have a meaning on every object, as keys and as names', () => {
    const raw: unknown = JSON.parse(
      '{"__proto__": {"level": 1}, "constructor": {}, "sources": {"__proto__": {"type": "sqlite", "path": "x"}, "constructor": {"type": "sqlite", "path": "x"}, "notes": {"type": "sqlite", "path": "x", "__proto__": {"enabled": false}}}}',
    );
    expect(Object.keys(faultsOf(raw)).sort()).toEqual([
      '__proto__',
      'constructor',
      'sources.__proto__',
      'sources.constructor',
      'sources.notes.__proto__',
    ]);
    expect(({} as Record<string, unknown>)['level']).toBeUndefined();
  });

  it('refuses empty values', () => {
    expect(faultsOf({ level: null, exclude: null, sources: null })).toEqual({
      level: expect.stringContaining('not empty') as string,
      exclude: 'must be a list of globs, not empty',
      sources: 'must be a map from name to source, not empty',
    });
    expect(faultsOf({ sources: { uploads: null } })).toEqual({
      'sources.uploads': 'must be a map of keys (such as type and path), not empty',
    });
  });

  it('refuses lists and other shapes where a map belongs', () => {
    expect(Object.keys(faultsOf({ sources: [{ type: 'sqlite', path: 'x' }] }))).toEqual(['sources']);
    expect(Object.keys(faultsOf({ sources: { notes: ['x'] } }))).toEqual(['sources.notes']);
    expect(faultsOf({ instance: new Date(0) })['instance']).toContain('put it in quotes');
  });

  it('does not follow a list that holds itself', () => {
    const circle: unknown[] = [];
    circle.push(circle);
    expect(faultsOf({ exclude: circle })).toEqual({ 'exclude[0]': 'must be a glob, not a list' });
  });
});

describe('the name of a source', () => {
  const named = (name: string): string[] =>
    Object.values(faultsOf({ sources: { [name]: { type: 'sqlite', path: 'x' } } }));

  it.each(['data.db', 'My files', 'ünï', 'a\\b', '-x', '.hidden'])('may be %j', (name) => {
    expect(named(name)).toEqual([]);
  });

  it.each([
    '',
    '.',
    '..',
    'a/b',
    '/a',
    'SHA256SUMS',
    'sha256sums',
    'manifest.json',
    'a\nb',
    'a\0b',
    '\u0085',
    '\ud800',
  ])('may not be %j', (name) => {
    expect(named(name)).toEqual([expect.stringMatching(/^cannot be the name of a source: /)]);
  });

  it('may not be longer than a file name', () => {
    expect(named('ü'.repeat(127))).toEqual([]);
    expect(named('ü'.repeat(128))).toEqual(['cannot be the name of a source: it is longer than 255 bytes']);
  });
});

describe('the fields of a source', () => {
  it('asks for a type unless the name is a default one', () => {
    expect(faultsOf(source({ path: 'x' }))).toEqual({
      'sources.notes.type': 'must be given: sqlite, directory or files',
    });
    expect(faultsOf({ sources: { upload: { enabled: false } } })['sources.upload.type']).toContain(
      'did you mean the source "uploads"?',
    );
    expect(faultsOf({ sources: { uploads: {}, config: { enabled: true } } })).toEqual({});
  });

  it('asks for a place unless the default one of the same type has it', () => {
    expect(Object.keys(faultsOf(source({ type: 'files' })))).toEqual(['sources.notes.paths']);
    expect(Object.keys(faultsOf({ sources: { uploads: { type: 'files' } } }))).toEqual(['sources.uploads.paths']);
    expect(faultsOf({ sources: { uploads: { type: 'directory' } } })).toEqual({});
  });

  it('refuses fields of another type', () => {
    expect(Object.keys(faultsOf(source({ type: 'sqlite', path: 'x', exclude: ['y'] })))).toEqual([
      'sources.notes.exclude',
    ]);
    expect(Object.keys(faultsOf(source({ type: 'directory', path: 'x', paths: ['y'] })))).toEqual([
      'sources.notes.paths',
    ]);
    expect(Object.keys(faultsOf(source({ type: 'files', paths: ['x'], path: 'y', exclude: [] })))).toEqual([
      'sources.notes.path',
      'sources.notes.exclude',
    ]);
  });

  it('refuses a type there is not', () => {
    expect(faultsOf(source({ type: 'folder', path: 'x' }))).toEqual({
      'sources.notes.type': 'must be sqlite, directory or files, not "folder"',
    });
    expect(Object.keys(faultsOf(source({ type: null, path: 'x' })))).toEqual(['sources.notes.type']);
  });

  it.each(['', '/etc/x', '../x', 'a/../b', './x', 'x/', 'a//b', '!x', 'a\nb'])(
    'refuses %j as the path of files',
    (path) => {
      expect(Object.keys(faultsOf(source({ type: 'files', paths: [path] })))).toEqual(['sources.notes.paths[0]']);
    },
  );

  it.each(['', ' ', '~', '~/x', 'a\0b', 'a\n'])('refuses %j as the path of a folder', (path) => {
    expect(Object.keys(faultsOf(source({ type: 'directory', path })))).toEqual(['sources.notes.path']);
  });

  it('refuses an exclude that would turn around', () => {
    expect(faultsOf({ exclude: ['!uploads/keep/**'] })['exclude[0]']).toContain('must not begin with "!"');
  });
});
