import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EntryHeader } from '../../src/archive/archive.js';
import type { Finding } from '../../src/manifest/findings.js';
import { isProof, Ledger, type Claims } from '../../src/manifest/ledger.js';
import type { FoundManifest } from '../../src/manifest/manifest.js';
import { file, folder, link, type Sample } from '../archive/tar/archives.js';
import { listed } from './listed.js';
import { PlainLedger } from './plain-ledger.js';

const sum = 'a'.repeat(64);
const five: FoundManifest = {
  version: '1.0.0',
  generatedAt: '2025-10-30T12:00:00Z',
  includes: ['uploads', 'system.brain'],
  hash: `sha256:${sum}`,
  encryption: { enabled: false },
};
const withLinks = (links: Readonly<Record<string, string>>): FoundManifest => ({
  ...five,
  sources: [
    {
      name: 'uploads',
      type: 'directory',
      path: 'var/uploads',
      files: 0,
      bytes: 0,
      links: Object.entries(links).map(([path, target]) => ({ path, target })),
    },
  ],
});

interface Given {
  readonly sums?: readonly string[] | undefined;
  readonly links?: Readonly<Record<string, string>>;
  readonly manifest?: FoundManifest;
}

/** What a pass over an archive with these entries tells its ledger. */
class Pass {
  readonly #admitted: EntryHeader[] = [];
  readonly ledger: Ledger;

  constructor(claims: Claims) {
    this.ledger = new Ledger(claims, () => this.#names());
  }

  /** As a reader does, it goes on behind what was admitted. */
  async *#names(): AsyncGenerator<EntryHeader> {
    for (const header of [...this.#admitted, a.header]) yield await Promise.resolve(header);
  }

  async admit(header: EntryHeader): Promise<Finding | undefined> {
    await this.ledger.prepare(header);
    const fault = this.ledger.admit(header);
    this.#admitted.push(header);
    return fault;
  }
}

async function newPass({ sums = [], links = {}, manifest = withLinks(links) }: Given, unproven = false): Promise<Pass> {
  const claimed = unproven ? undefined : await listed(sums.map((path) => [path, sum]));
  return new Pass({ manifest, sums: claimed, repacked: false });
}

interface Told {
  readonly ids: readonly (string | undefined)[];
  readonly missing: readonly string[];
}

/** What is said of each entry, then of those that are missing. */
async function told(pass: Pass, entries: readonly Sample[]): Promise<Told> {
  const ids: (string | undefined)[] = [];
  for (const { header } of entries) {
    const fault = await pass.admit(header);
    ids.push(fault !== undefined || header.kind !== 'file' ? fault?.id : pass.ledger.content(header, sum)?.id);
  }
  return { ids, missing: (await pass.ledger.missing()).map(({ id, path }) => `${id} ${path ?? ''}`) };
}

const a = file('uploads/a', 'a');
const proofs = [file('SHA256SUMS', 'x'), file('manifest.json', '{}')];

describe('Ledger', () => {
  it('has nothing to say of an archive that holds what it claims', async () => {
    const pass = await newPass({
      sums: ['system.brain', 'uploads/a', 'uploads/d/e/f'],
      links: { 'uploads/l': 'a', 'uploads/d/m': '../a' },
    });
    const entries = [
      file('system.brain', 'abc'),
      folder('uploads'),
      a,
      folder('uploads/d'),
      file('uploads/d/e/f', 'de'),
      link('uploads/d/m', '../a'),
      link('uploads/l', 'a'),
      folder('uploads/empty'),
    ];
    expect(await told(pass, [...entries, ...proofs])).toEqual({ ids: Array(10).fill(undefined), missing: [] });
    expect(pass.ledger.files).toBe(5);
    expect(pass.ledger.bytes).toBe(3 + 1 + 2 + 1 + 2);
  });

  it('has nothing to say whatever the order of the entries is', async () => {
    const pass = await newPass({ sums: ['uploads/d/x'] });
    const entries = [file('uploads/d/x', 'x'), folder('uploads/d'), folder('uploads')];
    expect((await told(pass, entries)).ids).toEqual([undefined, undefined, undefined]);
  });

  const twice: Readonly<Record<string, readonly [Sample, Sample]>> = {
    'a file twice': [a, a],
    'a folder twice': [folder('uploads/a'), folder('uploads/a')],
    'a link twice': [link('uploads/a', 'x'), link('uploads/a', 'x')],
    'a file that is a folder too': [a, folder('uploads/a')],
    'a folder that is a file too': [folder('uploads/a'), a],
    'a file that is a link too': [a, link('uploads/a', 'x')],
    'a link that is a file too': [link('uploads/a', 'x'), a],
    'a link that is a folder too': [link('uploads/a', 'x'), folder('uploads/a')],
    'two manifests': [file('manifest.json', '{}'), file('manifest.json', '{}')],
    'two lists of sums': [file('SHA256SUMS', ''), file('SHA256SUMS', '')],
  };
  for (const [what, entries] of Object.entries(twice)) {
    it(`finds ${what}`, async () => {
      const pass = await newPass({ sums: ['uploads/a'], links: { 'uploads/a': 'x' } });
      expect((await told(pass, entries)).ids[1]).toBe('entry-duplicate');
    });
  }

  it('takes names that differ in case or form for what they are', async () => {
    const paths = ['uploads/A', 'uploads/a', 'uploads/\u00e9', 'uploads/e\u0301', 'uploads/__proto__', 'uploads/a\\b'];
    const pass = await newPass({ sums: paths });
    const entries = paths.map((path) => file(path, ''));
    expect(await told(pass, entries)).toEqual({ ids: Array(6).fill(undefined), missing: [] });
  });

  const under: Readonly<Record<string, readonly Sample[]>> = {
    'a file below a link': [link('uploads/l', '/etc'), file('uploads/l/x', '')],
    'a file far below a link': [link('uploads/l', '/etc'), file('uploads/l/x/y/z', '')],
    'a folder below a link': [link('uploads/l', '/etc'), folder('uploads/l/x')],
    'a link below a link': [link('uploads/l', '/etc'), link('uploads/l/m', 'x')],
    'a file below a file': [a, file('uploads/a/x', '')],
    'a file far below a file': [a, file('uploads/a/x/y/z', '')],
    'a link after the file below it': [file('uploads/l/x', ''), link('uploads/l', '/etc')],
    'a link after the file far below it': [file('uploads/l/x/y/z', ''), link('uploads/l', '/etc')],
    'a file after the file below it': [file('uploads/a/x', ''), a],
    'a file below a link, after another there': [
      file('uploads/d/1', ''),
      link('uploads/l', '/etc'),
      file('uploads/d/2', ''),
      file('uploads/l/x', ''),
    ],
    'a second file below a file': [a, file('uploads/a/x', ''), file('uploads/a/x', '')],
    'a file below a source that is a file': [file('system.brain', ''), file('system.brain/x', '')],
    'a file below a source that is a link': [link('uploads', '/etc'), file('uploads/x', '')],
  };
  for (const [what, entries] of Object.entries(under)) {
    it(`finds ${what}`, async () => {
      const paths = [...new Set(entries.map(({ header }) => header.path))];
      const links = Object.fromEntries(
        entries.filter(({ header }) => header.kind === 'link').map(({ header }) => [header.path, header.target ?? '']),
      );
      expect((await told(await newPass({ sums: paths, links }), entries)).ids).toContain('entry-under-link');
    });
  }

  it('goes on finding what lies below something, when it was found once', async () => {
    const pass = await newPass({ sums: ['uploads/a', 'uploads/a/1', 'uploads/a/2', 'uploads/b/1'] });
    const entries = ['uploads/a', 'uploads/a/1', 'uploads/a/2', 'uploads/b/1', 'uploads/a/3'].map((p) => file(p, ''));
    expect((await told(pass, entries)).ids).toEqual([
      undefined,
      'entry-under-link',
      'entry-under-link',
      undefined,
      'entry-under-link',
    ]);
  });

  it('finds files that are not listed, in a source, beside it and at the top', async () => {
    const pass = await newPass({ sums: ['uploads/a'] });
    const entries = [
      a,
      file('uploads/b', ''),
      file('other/x', ''),
      file('manifest.json.bak', ''),
      file('SHA256SUM', ''),
    ];
    expect((await told(pass, entries)).ids).toEqual([undefined, ...Array<string>(4).fill('entry-unlisted')]);
  });

  it('finds folders and links that belong to no source', async () => {
    const pass = await newPass({ links: { 'other/l': 'x' } });
    const entries = [folder('other'), folder('other/d'), link('other/l', 'x'), folder('upload'), folder('uploadsX')];
    expect((await told(pass, entries)).ids).toEqual(Array(5).fill('entry-unlisted'));
  });

  it('finds links that are not listed, or lead elsewhere', async () => {
    const pass = await newPass({ links: { 'uploads/l': 'a', 'uploads/m': 'a' } });
    const { target: _target, ...untold } = link('uploads/m', 'a').header;
    const entries = [
      link('uploads/l', '/etc/passwd'),
      { header: untold, bytes: Buffer.alloc(0) },
      link('uploads/n', 'a'),
    ];
    expect(await told(pass, entries)).toEqual({
      ids: ['link-mismatch', 'link-mismatch', 'entry-unlisted'],
      missing: [],
    });
  });

  it('finds what is listed and not there', async () => {
    const pass = await newPass({ sums: ['uploads/a', 'uploads/b'], links: { 'uploads/l': 'x' } });
    expect((await told(pass, [a])).missing).toEqual(['entry-missing uploads/b', 'entry-missing uploads/l']);
    const empty = await newPass({ sums: ['system.brain'] });
    expect(await empty.ledger.missing()).toMatchObject([
      { id: 'entry-missing', kind: 'damage', source: 'system.brain', path: 'system.brain' },
    ]);
  });

  it('finds what is there as something else', async () => {
    const pass = await newPass({
      sums: ['uploads/was-file', 'uploads/was-file-too', 'uploads/was-link'],
      links: { 'uploads/was-link': 'x', 'uploads/was-file-too': 'x' },
    });
    const entries = [folder('uploads/was-file'), link('uploads/was-file-too', 'x'), file('uploads/was-link', '')];
    expect((await told(pass, entries)).missing).toEqual([
      'entry-missing uploads/was-file',
      'entry-missing uploads/was-file-too',
      'entry-missing uploads/was-link',
    ]);
  });

  it('finds a folder only implied where a file is listed', async () => {
    const pass = await newPass({ sums: ['uploads/a', 'uploads/a/b'] });
    expect((await told(pass, [file('uploads/a/b', '')])).missing).toEqual(['entry-missing uploads/a']);
  });

  it('finds content that is not what was listed, with both sums', async () => {
    const pass = await newPass({ sums: ['uploads/a'] });
    expect(await pass.admit(a.header)).toBeUndefined();
    const found = pass.ledger.content(a.header, 'b'.repeat(64));
    expect(found).toMatchObject({ id: 'checksum-mismatch', kind: 'damage', source: 'uploads', path: 'uploads/a' });
    expect(found?.message).toContain(sum);
    expect(found?.message).toContain('b'.repeat(64));
  });

  it('takes any regular file of the sources where there are no sums, and nothing else', async () => {
    const pass = await newPass({ manifest: five }, true);
    const entries = [a, file('system.brain', ''), folder('uploads/d'), file('other/x', ''), link('uploads/l', 'a')];
    expect(await told(pass, [...entries, ...proofs])).toEqual({
      ids: [undefined, undefined, undefined, 'entry-unlisted', 'entry-unlisted', undefined, undefined],
      missing: [],
    });
  });

  it('takes no link where the manifest lists none at all, even with sums', async () => {
    const pass = await newPass({ manifest: five, sums: ['uploads/l'] });
    expect(await told(pass, [link('uploads/l', 'a')])).toEqual({
      ids: ['entry-unlisted'],
      missing: ['entry-missing uploads/l'],
    });
  });

  it('is quick with many entries in deep folders', async () => {
    const deep = 'd/'.repeat(200);
    const paths = Array.from({ length: 50_000 }, (_, index) => `uploads/${deep}${index % 2}/${index}`);
    const pass = await newPass({ sums: paths });
    const started = performance.now();
    for (const path of paths) expect(await pass.admit(file(path, '').header)).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it('says what one says that holds everything, whatever is there in whatever order', async () => {
    const segment = fc.constantFrom('a', 'a-', 'a.b', 'aa', 'b', '\u00e9', '\uffff', '\u{10000}');
    const path = fc
      .tuple(fc.constantFrom('uploads', 'uploads', 'uploads', 'system.brain'), fc.array(segment, { maxLength: 3 }))
      .map(([top, rest]) => [top, ...rest].join('/'));
    const entry = fc.tuple(
      path,
      fc.constantFrom(file, file, folder, (at: string) => link(at, 'x')),
    );
    const both = fc.uniqueArray(entry, { maxLength: 12, selector: ([at]) => at });
    const given = fc.record({
      both,
      more: fc.array(entry, { maxLength: 2 }),
      lost: fc.array(path, { maxLength: 2 }),
      inOrder: fc.boolean(),
      linesInOrder: fc.boolean(),
      other: fc.nat(12),
    });
    await fc.assert(
      fc.asyncProperty(given, async ({ both: common, more, lost, inOrder, linesInOrder, other }) => {
        const made = (list: typeof common): Sample[] => list.map(([at, make]) => make(at, ''));
        const samples = made([...common, ...more]);
        const key = ({ header: { path: at, kind } }: Sample): Buffer =>
          Buffer.from(kind === 'directory' ? `${at}/` : at);
        const ordered = (list: Sample[]): Sample[] => list.sort((one, two) => Buffer.compare(key(one), key(two)));
        const entries = inOrder ? ordered(samples) : samples;
        const lines = linesInOrder ? ordered(made(common)) : made(common);
        const files = lines.filter(({ header }) => header.kind === 'file').map(({ header }) => header.path);
        const paths = new Set<string>([...files, ...lost]);
        const links = Object.fromEntries(
          lines.flatMap(({ header }) => (header.kind === 'link' ? [[header.path, 'x']] : [])),
        );
        const sums = [...paths].map((at, index) => [at, index === other ? 'b'.repeat(64) : sum] as const);
        const pass = new Pass({ manifest: withLinks(links), sums: await listed(sums), repacked: false });
        const plain = new PlainLedger(new Map(sums), new Map(Object.entries(links)));
        const expected = entries.map(({ header }) => {
          const fault = plain.admit(header);
          return fault !== undefined || header.kind !== 'file' ? fault : plain.content(header, sum);
        });
        expect(await told(pass, entries)).toEqual({
          ids: expected,
          missing: plain.missing().map((at) => `entry-missing ${at}`),
        });
      }),
      { numRuns: 1000 },
    );
  });
});

describe('isProof', () => {
  it('is true of the two proving files at the top alone', () => {
    const proof = (header: EntryHeader): boolean => isProof({ header, content: { kind: 'none' } });
    expect(
      [...proofs, a, file('uploads/manifest.json', ''), file('sha256sums', '')].map(({ header }) => proof(header)),
    ).toEqual([true, true, false, false, false]);
  });
});
