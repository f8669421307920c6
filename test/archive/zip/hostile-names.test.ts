import { crc32, deflateRawSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { EntryHeader } from '../../../src/archive/archive.js';
import { blockSize, limits } from '../../../src/base/limits.js';
import { CompressPool } from '../../../src/compress/pool.js';
import { Ledger } from '../../../src/manifest/ledger.js';
import { buildZip, extra, uint32, type RawEnd, type RawEntry } from '../../helpers/zip-builder.js';
import { noise, type Sample } from '../tar/archives.js';
import { damageOf, readZip } from './archives.js';
import { between, good, last, zeros } from './neighbours.js';

const pool = new CompressPool(1);
afterAll(() => pool.close());

const manifest = {
  version: '1.0.0',
  generatedAt: '',
  includes: ['uploads'],
  hash: '',
  encryption: { enabled: false },
};

/** What a ledger says of each entry. */
async function admittedIds(samples: readonly Sample[]): Promise<readonly (string | undefined)[]> {
  const names = async function* (): AsyncGenerator<EntryHeader> {
    for (const { header } of samples) yield await Promise.resolve(header);
  };
  const ledger = new Ledger({ manifest, sums: undefined, repacked: false }, names);
  const ids: (string | undefined)[] = [];
  for (const { header } of samples) {
    await ledger.prepare(header);
    ids.push(ledger.admit(header)?.id);
  }
  return ids;
}

describe('a zip made by nobody in particular', () => {
  it('is read without a word, so that what is told below is told for its own reason', async () => {
    const folder = { name: 'uploads/' };
    const link = { name: 'uploads/link', mode: 0o120777, content: 'good' };
    const deflated = { name: 'uploads/d', content: zeros, method: 8 };
    const read = await readZip(pool, buildZip([folder, good, link, deflated], { comment: 'hello' }));
    expect(read).toMatchObject({ thrown: undefined, damaged: [], oddities: [] });
    expect(read.samples.map(({ header: { path, kind, target } }) => [path, kind, target])).toEqual([
      ['uploads', 'directory', undefined],
      ['uploads/good', 'file', undefined],
      ['uploads/link', 'link', 'good'],
      ['uploads/d', 'file', undefined],
    ]);
    expect(read.samples[3]?.bytes.equals(zeros)).toBe(true);
    for (const end of [{ zip64: {} }, { order: [2, 0, 1] }] satisfies RawEnd[]) {
      expect(await damageOf(pool, buildZip([folder, good, last], end))).toEqual([]);
    }
  });
});

describe('a name', () => {
  const unsafe: Readonly<Record<string, RawEntry>> = {
    'that is a parent': { name: '..' },
    'that begins with a parent': { name: '../x' },
    'that goes through a parent': { name: 'uploads/../../x' },
    'that ends in a parent': { name: 'uploads/..' },
    'of a folder that is a parent': { name: 'uploads/../' },
    'that is absolute': { name: '/etc/passwd' },
    'that is a lone slash': { name: '/' },
    'with two slashes first': { name: '//server/share' },
    'with a drive': { name: 'C:/windows' },
    'with a drive and no slash': { name: 'c:x' },
    'with an empty segment': { name: 'uploads//x' },
    'with two slashes last': { name: 'uploads//' },
    'with a dot': { name: 'uploads/./x' },
    'that is a dot': { name: '.' },
    'that begins with a dot': { name: './uploads/x' },
    'that is missing': { name: '' },
    'with a NUL': { name: 'uploads/a\0.png' },
    'with a segment of 256 bytes': { name: `uploads/${'x'.repeat(256)}` },
    'with 257 segments': { name: 'x/'.repeat(256) + 'x' },
    'with 4097 bytes': { name: `${'x'.repeat(200)}/`.repeat(20) + 'x'.repeat(77) },
    'that says UTF-8 and is not': { name: Buffer.from([0x61, 0xff, 0x62]) },
    'that is UTF-8 cut short': { name: Buffer.from([0x61, 0xc3]) },
    'that is UTF-8 too long for what it says': { name: Buffer.from([0xc0, 0xae, 0xc0, 0xae, 0x2f, 0x78]) },
    'that is a surrogate in UTF-8': { name: Buffer.from([0xed, 0xa0, 0x80]) },
    'with a backslash, from MS-DOS': { name: 'uploads\\x', central: { madeBy: 20 } },
    'with a parent by backslashes, from NTFS': { name: '..\\x', central: { madeBy: (10 << 8) | 20 } },
    'with a backslash, from VFAT': { name: 'uploads\\', central: { madeBy: (14 << 8) | 20 } },
    'of code page 437 that is a parent': { name: '../x', flags: 0 },
    'of code page 437 with a NUL': { name: 'a\0b', flags: 0 },
    'whose Unicode path field is a parent': {
      name: 'harmless',
      flags: 0,
      extra: extra(0x7075, Buffer.concat([Buffer.from([1]), uint32(crc32('harmless')), Buffer.from('../x')])),
    },
  };
  for (const [what, entry] of Object.entries(unsafe)) {
    it(`${what} is refused, and its neighbours are read`, async () => {
      const read = await readZip(pool, between(entry));
      expect([...read.oddities.map(({ id }) => id), read.thrown]).toEqual(
        // Its bytes belong to no entry then.
        ['entry-path-unsafe', 'data-between-entries', undefined],
      );
      expect(read.oddities[0]?.path).toBeDefined();
      expect(read.samples.map(({ header }) => header.path)).toEqual(['uploads/good', 'uploads/z']);
    });
  }

  it('with a backslash is a name where it comes from Unix', async () => {
    const read = await readZip(pool, between({ name: 'uploads/..\\x' }));
    expect(read.oddities).toEqual([]);
    expect(read.samples[1]?.header.path).toBe('uploads/..\\x');
  });

  it('without the UTF-8 flag is code page 437, or what its Unicode path field says', async () => {
    const name = Buffer.from([0x75, 0x2f, 0x81, 0xe1]);
    const path = Buffer.concat([Buffer.from([1]), uint32(crc32(name)), Buffer.from('u/💾')]);
    for (const [more, expected] of [
      [Buffer.alloc(0), 'u/üß'],
      [extra(0x7075, path), 'u/💾'],
    ] as const) {
      const read = await readZip(pool, between({ name, flags: 0, extra: more }));
      expect(read).toMatchObject({ oddities: [], damaged: [], thrown: undefined });
      expect(read.samples[1]?.header.path).toBe(expected);
    }
  });

  it('without the UTF-8 flag is UTF-8 all the same where it comes from Unix and can be that', async () => {
    const name = Buffer.from('u/é💾');
    expect((await readZip(pool, between({ name, flags: 0 }))).samples[1]?.header.path).toBe('u/é💾');
    const fromDos = await readZip(pool, between({ name, flags: 0, central: { madeBy: 20 } }));
    expect(fromDos.samples[1]?.header.path).toBe('u/├⌐≡ƒÆ╛');
  });

  it('that begins with ./ is taken where the container may have been remade, and only once', async () => {
    const archive = buildZip([{ name: './' }, { name: './uploads/' }, { name: './uploads/x', content: 'x' }]);
    const read = await readZip(pool, archive, { dropDotSlash: true });
    expect(read.thrown).toBeUndefined();
    expect(read.samples.map(({ header }) => header.path)).toEqual(['uploads', 'uploads/x']);
    const ids = await damageOf(pool, buildZip([{ name: '././x' }, { name: './/x' }]), { dropDotSlash: true });
    expect(ids.filter((id) => id === 'entry-path-unsafe')).toHaveLength(2);
  });

  it('that occurs twice is found by the ledger, as a file, as a folder and as both', async () => {
    for (const [first, second] of [
      ['uploads/a', 'uploads/a'],
      ['uploads/a/', 'uploads/a/'],
      ['uploads/a', 'uploads/a/'],
      ['uploads/a/', 'uploads/a'],
    ] as const) {
      const { samples } = await readZip(pool, buildZip([{ name: first }, { name: second }]));
      expect(await admittedIds(samples)).toEqual([undefined, 'entry-duplicate']);
    }
  });
});

describe('a type', () => {
  const forbidden: Readonly<Record<string, RawEntry>> = {
    'character device': { mode: 0o020666 },
    'block device': { mode: 0o060666 },
    fifo: { mode: 0o010666 },
    socket: { mode: 0o140666 },
    whiteout: { mode: 0o160000 },
    'type nobody knows': { mode: 0o130644 },
    'file that is called a folder': { name: 'uploads/a/', mode: 0o100644 },
    'folder that is called a file': { name: 'uploads/a', mode: 0o040755 },
    'link that is called a folder': { name: 'uploads/a/', mode: 0o120777, content: 'x' },
    'device from a Macintosh': { mode: 0o020666, central: { madeBy: (19 << 8) | 20 } },
  };
  for (const [what, entry] of Object.entries(forbidden)) {
    it(`${what} is refused, and its neighbours are read`, async () => {
      const read = await readZip(pool, between(entry));
      expect(read.oddities[0]).toMatchObject({ id: 'entry-type-forbidden', path: entry.name ?? 'uploads/a' });
      expect(read.samples.map(({ header }) => header.path)).toEqual(['uploads/good', 'uploads/z']);
    });
  }

  it('from a host without modes is told by the name alone', async () => {
    const madeBy = 20;
    const archive = buildZip([
      { name: 'a', mode: 0o020666, central: { madeBy } },
      { name: 'b/', mode: 0o120777, central: { madeBy } },
    ]);
    const { samples } = await readZip(pool, archive);
    expect(samples.map(({ header: { kind, mode } }) => [kind, mode])).toEqual([
      ['file', 0o644],
      ['directory', 0o755],
    ]);
  });
});

describe('a folder or link', () => {
  const text = Buffer.from('content of a folder');
  const damaged: Readonly<Record<string, readonly [string, RawEntry]>> = {
    'folder with content': ['size-mismatch', { name: 'uploads/d/', content: text }],
    'folder with deflated content': ['size-mismatch', { name: 'uploads/d/', content: text, method: 8 }],
    'folder with a lot of content': ['size-mismatch', { name: 'uploads/d/', content: zeros, method: 8 }],
    'folder with a lot of stored content': ['size-mismatch', { name: 'uploads/d/', content: zeros }],
    'folder with nothing in a lot of bytes': [
      'size-mismatch',
      { name: 'uploads/d/', method: 8, data: Buffer.concat([deflateRawSync(''), noise(3 * blockSize)]) },
    ],
    'link with a target that is not UTF-8': [
      'entry-path-unsafe',
      { name: 'uploads/l', mode: 0o120777, content: Buffer.from([0x61, 0xff]) },
    ],
    'link with a NUL in its target': ['entry-path-unsafe', { name: 'uploads/l', mode: 0o120777, content: 'a\0b' }],
    'link without a target': ['entry-path-unsafe', { name: 'uploads/l', mode: 0o120777, content: '' }],
    'link with a target in a lot of bytes': [
      'size-mismatch',
      { name: 'uploads/l', mode: 0o120777, content: 'x', method: 8, data: emptyBlocks(3 * blockSize, 'x') },
    ],
    'link whose target is not as long as declared': [
      'size-mismatch',
      { name: 'uploads/l', mode: 0o120777, content: 'target', local: { size: 5 }, central: { size: 5 } },
    ],
  };
  for (const [what, [id, entry]] of Object.entries(damaged)) {
    it(`that is a ${what} is damage, whatever is wanted`, async () => {
      for (const want of ['content', 'sum'] as const) {
        const read = await readZip(pool, between(entry), { want: () => want });
        expect(read.thrown).toBeUndefined();
        expect(read.damaged).toMatchObject([{ id, path: (entry.name as string).replace(/\/$/, '') }]);
        expect(read.samples).toHaveLength(2);
      }
    });
  }

  it('that is a link with a target beyond the limit is refused before it is read', async () => {
    for (const method of [0, 8]) {
      const link = { name: 'uploads/l', mode: 0o120777, method, content: 'x'.repeat(limits.maxLinkBytes + 1) };
      expect((await readZip(pool, between(link))).oddities[0]).toMatchObject({ id: 'entry-path-unsafe' });
    }
    const longest = { name: 'uploads/l', mode: 0o120777, method: 8, content: 'x'.repeat(limits.maxLinkBytes) };
    expect((await readZip(pool, between(longest))).samples[1]?.header.target).toHaveLength(limits.maxLinkBytes);
  });

  it('that hides behind a file, or has files below it, is found by the ledger', async () => {
    const below = { name: 'uploads/l/x', content: 'x' };
    const link = { name: 'uploads/l', mode: 0o120777, content: '/etc' };
    for (const entries of [
      [link, below],
      [below, link],
    ]) {
      const { samples } = await readZip(pool, buildZip(entries));
      expect(await admittedIds(samples)).toContain('entry-under-link');
    }
  });
});

/** A deflate stream of about this many bytes, for the content alone: empty stored blocks, then the content. */
function emptyBlocks(bytes: number, content: string): Buffer {
  const blocks = Buffer.alloc(Math.ceil(bytes / 5) * 5);
  for (let at = 0; at < blocks.length; at += 5) blocks.set([0, 0, 0, 0xff, 0xff], at);
  return Buffer.concat([blocks, deflateRawSync(content)]);
}
