import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { deps, describeTree, failure, newTarget, restore, verify } from '../helpers/instance.js';
import { isRoot } from '../helpers/surroundings.js';
import { readDatabase } from '../sqlite/databases.js';
import { ids } from './altered-archives.js';
import { withPassphrase } from './encrypted.js';
import { containerOf, withoutEnding } from '../../src/policy/backup-name.js';
import { listBackups } from '../../src/operations/list-backups.js';
import { LocalStorage } from '../../src/storage/local-storage.js';

const archives = fileURLToPath(new URL('../../fixtures/archives', import.meta.url));
const namesIn = (folder: string): readonly string[] =>
  readdirSync(join(archives, folder)).filter((name) => containerOf(name) !== undefined);

/** What opens the encrypted ones (fixtures/build-archives.mjs). */
const given = withPassphrase('golden passphrase');

/** They were made by root, whose set-id bits nobody else may give. */
const grantable = isRoot ? 0o7777 : 0o1777;

interface Literal {
  readonly mode?: string;
  readonly mtime: string;
  readonly text?: string;
  readonly link?: string;
}

const tree = JSON.parse(readFileSync(join(archives, 'tree.json'), 'utf8')) as Record<string, Literal>;

let listed: ReturnType<typeof listBackups> | undefined;
const listGood = (): ReturnType<typeof listBackups> =>
  (listed ??= listBackups(new LocalStorage(join(archives, 'good')), 'golden', deps().signal));

/** An archive that was made once has to be read for ever. */
describe.each(namesIn('good'))('good/%s', (name) => {
  const file = join(archives, 'good', name);

  it('is intact', async () => {
    const whole = await verify(file, given);
    expect(whole).toMatchObject({ verdict: 'intact', findings: [], files: 6, databases: 1 });
    expect(whole.manifest).toMatchObject({ schedule: 'daily', comment: 'A golden archive' });
    expect(await verify(file, { quick: true, ...given })).toMatchObject({ verdict: 'intact', findings: [] });
  });

  it('comes back as it was', async () => {
    const target = newTarget();
    expect(await restore(file, target, { owner: 'self', ...given })).toMatchObject({
      files: 6,
      directories: 3,
      links: 1,
      databases: 1,
    });
    expect(Object.keys(describeTree(target)).sort()).toEqual(
      ['.', './app.db', ...Object.keys(tree).map((path) => `./${path}`)].sort(),
    );
    for (const [path, { mode, mtime, text, link }] of Object.entries(tree)) {
      const found = lstatSync(join(target, path), { bigint: true });
      expect([path, found.mtimeNs]).toEqual([path, BigInt(mtime)]);
      if (mode !== undefined)
        expect([path, found.mode & 0o7777n]).toEqual([path, BigInt(Number.parseInt(mode, 8) & grantable)]);
      if (text !== undefined) expect(readFileSync(join(target, path), 'utf8')).toBe(text);
      if (link !== undefined) expect(readlinkSync(join(target, path))).toBe(link);
    }
    const rows = readDatabase(join(target, 'app.db'), 'SELECT n, s FROM t ORDER BY n');
    expect(rows).toEqual([
      { n: 1, s: 'one' },
      { n: 2, s: 'zwei' },
    ]);
  });

  it('describes itself', async () => {
    expect((await listGood()).find((one) => one.name === name)).toMatchObject({
      ...{ id: '20251030T120000Z-daily', instance: 'golden', foreign: false, origin: 'daily', status: 'ok' },
      ...{ includes: ['app.db', 'data'], scopes: ['data'], losses: 0, encrypted: name.includes('encrypted') },
    });
  });
});

describe.each(namesIn('damaged'))('damaged/%s', (name) => {
  const file = join(archives, 'damaged', name);

  it('is damaged by what it is named by', async () => {
    const result = await verify(file, given);
    expect([result.verdict, ids(result)]).toEqual(['damaged', expect.arrayContaining([withoutEnding(name)])]);
  });

  it('is not restored, not even a part of it', async () => {
    const target = newTarget();
    expect((await failure(restore(file, target, given))).id).toBe('archive-damaged');
    expect(readdirSync(join(target, '..'))).toEqual([]);
  });
});

it('lists damaged ones without a word too many', async () => {
  const listed = await listBackups(new LocalStorage(join(archives, 'damaged')), 'golden', deps().signal);
  expect(listed.map(({ name }) => name).sort()).toEqual([...namesIn('damaged')].sort());
  expect(
    listed.filter(({ name }) => /^(truncated|manifest-invalid)/.test(name)).every(({ status }) => status === 'damaged'),
  ).toBe(true);
});
