import { defaultLoaders } from 'cosmiconfig';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composeFile, type FileContent } from '../../src/config/compose-file.js';
import { parseConfig } from '../../src/config/parse.js';
import type { FoundDatabase } from '../../src/policy/found-data.js';
import type { Proposal, ProposedSource } from '../../src/policy/proposal.js';
import { oddNames } from '../helpers/surroundings.js';
import { load, sourceNamed, writeSite } from './sites.js';

const database = (path: string): FoundDatabase => ({ path, bytes: 8192, journalMode: 'delete', live: false });
const base = { scope: 'databases', enabled: true, about: '' };

const sqlite = (name: string, path: string): ProposedSource => ({
  ...base,
  type: 'sqlite',
  name,
  path,
  database: database(path),
});

function compose(proposal: Partial<Proposal>, more: Partial<FileContent> = {}): string {
  const nothing = { applications: [], sources: [], advice: [], unnamed: [], uncovered: [] };
  return composeFile({
    proposal: { ...nothing, ...proposal },
    cmsSources: [],
    instance: 'site',
    storage: 'var/backups',
    formatBytes: (bytes) => `${bytes} B`,
    ...more,
  });
}

const parsed = (text: string): unknown => defaultLoaders.noExt('.backuprc', text) as unknown;

/** Names that YAML takes for something else, or that end a scalar. */
const words = [
  'true',
  'Null',
  '~',
  '~/x',
  '1e3',
  '.5',
  '.inf',
  '0x1f',
  '2025-10-30',
  '<<',
  '- a',
  'a: b',
  'a #b',
  '!!x',
];

describe('composeFile', () => {
  it.each([...oddNames, ...words])('keeps %j as a path, a name, a glob and an instance', (name) => {
    const exclude = [{ glob: name, why: name }];
    const text = compose(
      {
        applications: [name],
        sources: [
          { ...sqlite(name, `x/${name}`), about: name },
          { ...base, type: 'directory', name: `${name}2`, path: name, exclude, scope: name },
          { ...base, type: 'files', name: `${name}3`, paths: [name] },
        ],
        advice: [name],
        unnamed: [name],
        uncovered: [name],
      },
      { instance: name, storage: name },
    );
    const path = name.startsWith('~') ? `./${name}` : name;
    const { instance, ...others } = parsed(text) as Record<string, unknown>;
    expect([name, undefined]).toContain(instance);
    const sources = (others['sources'] ?? {}) as Record<string, unknown>;
    expect(Object.keys(sources).sort()).toEqual([name, `${name}2`, `${name}3`].sort());
    expect(others['storage']).toBe(path);
    expect(sources[`${name}2`]).toEqual({ type: 'directory', path, scope: name, exclude: [name] });
    expect(sources[`${name}3`]).toEqual({ type: 'files', scope: 'databases', paths: [name] });
    expect(Object.getOwnPropertyDescriptor(sources, name)?.value).toEqual({ type: 'sqlite', path: `x/${name}` });
  });

  it('says nothing but what it was given, whatever that is', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 }).filter((one) => one.isWellFormed() && one !== '__proto__');
    fc.assert(
      fc.property(text, text, text, (name, path, remark) => {
        const composed = compose({
          sources: [{ ...sqlite(name, path), about: remark }],
          uncovered: [remark],
          advice: [remark],
        });
        const place = path.startsWith('~') ? `./${path}` : path;
        const wanted = {
          instance: 'site',
          storage: 'var/backups',
          sources: { [name]: { type: 'sqlite', path: place } },
        };
        expect(parsed(composed)).toEqual(wanted);
      }),
    );
  });

  it('leaves an instance out that the configuration would refuse', () => {
    for (const instance of ['', ' ', 'a\nb', 'x'.repeat(201)]) {
      const raw = parsed(compose({ sources: [sqlite('a', 'a')] }, { instance }));
      expect(raw).not.toHaveProperty('instance');
      expect(parseConfig(raw)).toMatchObject({ ok: true });
    }
  });

  it('names the sources of the CMS without changing them', async () => {
    const cmsSources = ['system.brain', 'user.brain', 'snapshots', 'uploads', 'config'];
    const text = compose({ sources: [sqlite('more.db', 'more.db')] }, { cmsSources, storage: undefined });
    const plain = await load(await writeSite({ 'var/system.brain': '' }), { root: '.' });
    const site = await writeSite({ 'var/system.brain': '', '.backuprc': text });
    const config = await load(site);
    expect(config.storage).toBe(`${site}/var/backups`);
    expect(config.sources.map(({ name }) => name)).toEqual([...cmsSources, 'more.db']);
    for (const { name } of plain.sources) {
      const here = JSON.stringify(sourceNamed(config, name)).replaceAll(site, plain.root);
      expect(here).toBe(JSON.stringify(sourceNamed(plain, name)));
    }
  });
});
