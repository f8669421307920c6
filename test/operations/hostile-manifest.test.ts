import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deps, describeTree, failure, newTarget, restore, verify } from '../helpers/instance.js';
import { temporaryFolder } from '../helpers/surroundings.js';
import { ids } from './altered-archives.js';
import { craft, type Crafted, type CraftedEntry, type Json } from './crafted-archive.js';
import type { FindingId } from '../../src/manifest/findings.js';
import { fileBackup } from '../../src/operations/backup-file.js';
import { listBackups } from '../../src/operations/list-backups.js';
import { showBackup } from '../../src/operations/show-backup.js';
import { LocalStorage } from '../../src/storage/local-storage.js';

const containers = ['zip', 'tar.gz'] as const;
const plain: readonly CraftedEntry[] = [
  { path: 'data' },
  { path: 'data/a', content: 'x' },
  { path: 'data/l', target: 'a' },
];
const zeros = '0'.repeat(64);

/** The manifest with this in its only source. */
const inSource =
  (more: Json) =>
  (honest: Json): Json => ({ ...honest, sources: (honest['sources'] as Json[]).map((one) => ({ ...one, ...more })) });

const damages: readonly (readonly [string, FindingId, Omit<Crafted, 'container'>])[] = [
  [
    'a content that is another',
    'checksum-mismatch',
    { entries: plain, sums: (text) => text.replace(/^\w{64}/, zeros) },
  ],
  [
    'sums of a file that is not there',
    'entry-missing',
    { entries: plain, sums: (text) => `${text}${zeros}  data/b\n` },
  ],
  [
    'sums with a name that leads out of it',
    'entry-missing',
    { entries: plain, sums: (text) => `${text}${zeros}  ../../etc/passwd\n` },
  ],
  ['sums with an absolute name', 'entry-missing', { entries: plain, sums: (text) => `${text}${zeros}  /etc/passwd\n` }],
  [
    'sums with a prototype for a name',
    'entry-missing',
    { entries: plain, sums: (text) => `${text}${zeros}  __proto__\n` },
  ],
  ['sums that lack a file', 'entry-unlisted', { entries: plain, sums: () => '' }],
  ['sums that name a file twice', 'sums-invalid', { entries: plain, sums: (text) => text + text }],
  ['sums with a line that is none', 'sums-invalid', { entries: plain, sums: (text) => `${text}nothing\n` }],
  ['sums without the last newline', 'sums-invalid', { entries: plain, sums: (text) => text.trimEnd() }],
  [
    'sums that are others',
    'sums-mismatch',
    { entries: plain, manifest: (honest) => ({ ...honest, hash: `sha256:${zeros}` }) },
  ],
  [
    'a body that is another',
    'container-altered',
    { entries: plain, manifest: (honest) => ({ ...honest, bodyHash: `sha256:${zeros}` }) },
  ],
  [
    'a link that is not there',
    'entry-missing',
    {
      entries: plain,
      manifest: inSource({
        links: [
          { path: 'data/l', target: 'a' },
          { path: 'data/m', target: 'a' },
        ],
      }),
    },
  ],
  [
    'a link that leads elsewhere',
    'link-mismatch',
    { entries: plain, manifest: inSource({ links: [{ path: 'data/l', target: '/etc/passwd' }] }) },
  ],
  ['a link that is not listed', 'entry-unlisted', { entries: plain, manifest: inSource({ links: [] }) }],
  [
    'a file twice',
    'entry-duplicate',
    {
      entries: [...plain, { path: 'data/a', content: 'x' }],
      sums: (text) => text.split('\n').slice(0, 1).join('') + '\n',
    },
  ],
  ['a file that is also a folder', 'entry-under-link', { entries: [...plain, { path: 'data/a/b', content: 'x' }] }],
  ['a file below a link', 'entry-under-link', { entries: [...plain, { path: 'data/l/b', content: 'x' }] }],
  [
    'a folder of no source',
    'entry-unlisted',
    {
      entries: [...plain, { path: 'other' }],
      manifest: (honest) => ({ ...honest, includes: ['data'], sources: [(honest['sources'] as Json[])[0]] }),
    },
  ],
  ['a name with ..', 'entry-path-unsafe', { entries: [...plain, { path: 'data/../../b', content: 'x' }] }],
  ['an absolute name', 'entry-path-unsafe', { entries: [...plain, { path: '/tmp/b', content: 'x' }] }],
  ['a drive', 'entry-path-unsafe', { entries: [...plain, { path: 'c:/b', content: 'x' }] }],
  ['an empty segment', 'entry-path-unsafe', { entries: [...plain, { path: 'data//b', content: 'x' }] }],
  [
    'a name that is too long',
    'entry-path-unsafe',
    { entries: [...plain, { path: `data/${'x'.repeat(256)}`, content: 'x' }] },
  ],
  [
    'a path that is too deep',
    'entry-path-unsafe',
    { entries: [...plain, { path: `data${'/x'.repeat(300)}`, content: 'x' }] },
  ],
  [
    'more bytes than it counts',
    'size-mismatch',
    { entries: plain, manifest: (honest) => ({ ...honest, totals: { files: 1, directories: 1, links: 1, bytes: 0 } }) },
  ],
  ['a manifest that is no JSON', 'manifest-invalid', { entries: plain, manifest: () => '{' }],
  ['a manifest that is a list', 'manifest-invalid', { entries: plain, manifest: () => '[]' }],
  ['a manifest that is null', 'manifest-invalid', { entries: plain, manifest: () => 'null' }],
  ['an empty manifest', 'manifest-invalid', { entries: plain, manifest: () => '' }],
  ['a manifest of nothing but depth', 'manifest-invalid', { entries: plain, manifest: () => '['.repeat(1_000_000) }],
  ['a manifest without its hash', 'manifest-invalid', { entries: plain, manifest: ({ hash: _, ...rest }) => rest }],
  [
    'a manifest of no version',
    'manifest-invalid',
    { entries: plain, manifest: (honest) => ({ ...honest, version: 'new' }) },
  ],
  [
    'a source with a name of two segments',
    'manifest-invalid',
    { entries: plain, manifest: (honest) => ({ ...honest, includes: ['a/b'] }) },
  ],
  ['a count below zero', 'manifest-invalid', { entries: plain, manifest: inSource({ files: -1 }) }],
];

describe.each(containers)('a %s that lies', (container) => {
  it.each(damages)('is damaged: %s is %s', async (_, id, crafted) => {
    const file = await craft({ ...crafted, container });
    const result = await verify(file);
    expect([result.verdict, ids(result)]).toEqual(['damaged', expect.arrayContaining([id])]);
    const absent = newTarget();
    expect((await failure(restore(file, absent))).id).toBe('archive-damaged');
    expect(readdirSync(join(absent, '..'))).toEqual([]);
    const empty = temporaryFolder();
    expect((await failure(restore(file, empty))).id).toBe('archive-damaged');
    expect(readdirSync(empty)).toEqual([]);
  });

  it('is not opened where its format is newer, and a storage that holds it can be listed', async () => {
    const file = await craft({ container, entries: plain, manifest: () => '{"version":"2.0.0","whatever":1}' });
    const show = (): Promise<unknown> => showBackup({ file: fileBackup(file), withEntries: true }, deps());
    for (const call of [() => verify(file), () => restore(file, newTarget()), show]) {
      const error = await failure(call());
      expect([error.id, error.exitCode]).toEqual(['format-newer', 15]);
    }
    const [listed] = await listBackups(new LocalStorage(join(file, '..')), 'app', deps().signal);
    expect(listed).toMatchObject({ status: 'unknown' });
  });

  it('is opened where its format is a newer minor one, with keys and findings nobody knows', async () => {
    const more = {
      version: '1.9.3',
      new: { a: [1] },
      findings: [{ id: 'unheard-of', kind: 'loss', message: 'x', more: 1 }],
      complete: false,
    };
    const file = await craft({ container, entries: plain, manifest: (honest) => ({ ...honest, ...more }) });
    expect(await verify(file)).toMatchObject({
      verdict: 'incomplete',
      findings: [{ id: 'unknown-loss', kind: 'loss', message: 'x (unheard-of)' }],
    });
    await restore(file, newTarget());
  });

  it('has no prototype to give', async () => {
    const text = (honest: Json): string =>
      JSON.stringify(honest).replace(
        '{',
        '{"__proto__":{"polluted":true,"complete":false},"constructor":{"prototype":{"polluted":true}},',
      );
    const file = await craft({ container, entries: plain, manifest: text });
    const result = await verify(file);
    expect(result.verdict).toBe('intact');
    expect(({} as Json)['polluted']).toBeUndefined();
    expect(Object.keys(result.manifest ?? {})).not.toContain('__proto__');
    const named = await craft({
      container,
      entries: [{ path: '__proto__' }, { path: '__proto__/constructor', content: 'x' }],
    });
    expect((await verify(named)).verdict).toBe('intact');
    const target = newTarget();
    await restore(named, target);
    expect(Object.keys(describeTree(target))).toEqual(['.', './__proto__', './__proto__/constructor']);
  });
});

describe('recorded places of sources', () => {
  const two: readonly CraftedEntry[] = [
    { path: 'a' },
    { path: 'a/f', content: '1' },
    { path: 'b' },
    { path: 'b/f', content: '2' },
  ];
  const places =
    (...paths: readonly string[]) =>
    (honest: Json): Json => ({
      ...honest,
      sources: (honest['sources'] as Json[]).map((one, index) => ({ ...one, path: paths[index] })),
    });

  it.each<[string, readonly string[], readonly string[]]>([
    ['below the target', ['var/a', 'var/b'], ['./var', './var/a', './var/a/f', './var/b', './var/b/f']],
    ['climbing out', ['../../etc', 'x/../../y'], ['./a', './a/f', './b', './b/f']],
    ['absolute', ['/etc', '/'], ['./a', './a/f', './b', './b/f']],
    ['a drive', ['c:x', 'C:\\x/y'], ['./a', './a/f', './b', './b/f']],
    ['the same', ['var', 'var'], ['./a', './a/f', './b', './b/f']],
    ['one in the other', ['var', 'var/b'], ['./var', './var/b', './var/b/f', './var/f']],
    ['the root and another', ['.', 'x'], ['./f', './x', './x/f']],
    ['the root twice', ['.', ''], ['./a', './a/f', './b', './b/f']],
    ['the name of one that has none', ['b', '/srv/b'], ['./a', './a/f', './b', './b/f']],
    ['below the name of one that has none', ['b/f', '/srv/b'], ['./a', './a/f', './b', './b/f']],
    ['the root beside one that has none', ['.', '/srv/b'], ['./a', './a/f', './b', './b/f']],
    ["each other's", ['b', 'a'], ['./a', './a/f', './b', './b/f']],
    [
      'our own staging',
      ['.bkp-restore.staging', 'tree'],
      ['./.bkp-restore.staging', './.bkp-restore.staging/f', './tree', './tree/f'],
    ],
  ])('are taken where that is safe: %s', async (_, paths, expected) => {
    const file = await craft({ entries: two, manifest: places(...paths) });
    const target = newTarget();
    await restore(file, target);
    expect(Object.keys(describeTree(target)).slice(1)).toEqual(expected);
    expect(readdirSync(join(target, '..'))).toEqual(['restored']);
  });

  it('that cannot be made are refused, and nothing is written', async () => {
    const deep = { path: `a${'/x'.repeat(250)}`, content: '' };
    const file = await craft({ entries: [...two.slice(0, 1), deep], manifest: places('1/2/3/4/5/6/7') });
    const target = newTarget();
    const error = await failure(restore(file, target));
    expect(error.id).toBe('target-unwritable');
    expect(existsSync(target)).toBe(false);
  });

  it('where two files would lie at one are refused, and nothing is written', async () => {
    const file = await craft({ entries: two, manifest: places('x', 'x/f') });
    const target = temporaryFolder();
    mkdirSync(join(target, 'restored'));
    expect((await failure(restore(file, join(target, 'restored')))).id).toBe('name-collision');
    expect(readdirSync(join(target, 'restored'))).toEqual([]);
  });

  it('are never reached through a link that came before', async () => {
    const entries = [{ path: 'a' }, { path: 'a/l', target: '.' }, { path: 'b' }, { path: 'b/planted', content: 'x' }];
    const file = await craft({ entries, manifest: places('x', 'x/l/deep') });
    const target = newTarget();
    expect((await failure(restore(file, target))).id).toBe('name-collision');
    expect(readdirSync(join(target, '..'))).toEqual([]);
  });
});
