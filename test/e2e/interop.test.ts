import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bkp, copySite, hasTool, tool } from '../helpers/cli.js';
import { temporaryFolder } from '../helpers/surroundings.js';

const decomposed = 'var/uploads/Gärten im Mai.png'.normalize('NFD');

interface Made {
  readonly archive: string;
  /** Holds it, its side file, and nothing else. */
  readonly folder: string;
  readonly site: string;
}

const made = new Map<string, Promise<Made>>();
const place = mkdtempSync(join(tmpdir(), 'bkp-interop-'));
afterAll(() => rmSync(place, { recursive: true }));

/** A backup of the fixture site (less some files), which tools only read: made once for all of them. */
function archiveOf(format: string, without: readonly string[] = []): Promise<Made> {
  const key = [format, ...without].join(' ');
  const known = made.get(key) ?? makeArchive(format, without);
  made.set(key, known);
  return known;
}

async function makeArchive(format: string, without: readonly string[]): Promise<Made> {
  const folder = mkdtempSync(join(place, 'made-'));
  const site = mkdtempSync(join(place, 'site-'));
  copySite(site);
  for (const path of without) rmSync(join(site, path));
  const archive = join(folder, `site.${format}`);
  const ran = await bkp(['create', '-C', site, '-o', archive]);
  expect(ran.stderr).toBe('');
  expect(ran.code).toBe(0);
  return { archive, folder, site };
}

/** Tools that must accept an archive, by container: command, and arguments made from the archive's path. */
const testers: Record<string, readonly (readonly [string, (archive: string) => readonly string[]])[]> = {
  zip: [
    ['unzip', (archive) => ['-tqq', archive]],
    ['7z', (archive) => ['t', archive]],
    ['bsdtar', (archive) => ['-tf', archive]],
    [
      'python3',
      (archive) => ['-c', 'import sys,zipfile; assert zipfile.ZipFile(sys.argv[1]).testzip() is None', archive],
    ],
  ],
  'tar.gz': [
    ['gzip', (archive) => ['-t', archive]],
    ['pigz', (archive) => ['-t', archive]],
    ['tar', (archive) => ['-tzf', archive]],
    ['bsdtar', (archive) => ['-tf', archive]],
    ['7z', (archive) => ['t', archive]],
    ['python3', (archive) => ['-c', 'import sys,tarfile; list(tarfile.open(sys.argv[1]))', archive]],
  ],
};

const extractors: Record<string, readonly (readonly [string, (archive: string, to: string) => readonly string[]])[]> = {
  zip: [
    ['unzip', (archive, to) => ['-qq', archive, '-d', to]],
    ['7z', (archive, to) => ['x', `-o${to}`, archive]],
    ['bsdtar', (archive, to) => ['-xf', archive, '-C', to]],
  ],
  'tar.gz': [
    ['tar', (archive, to) => ['-xzf', archive, '-C', to]],
    ['bsdtar', (archive, to) => ['-xf', archive, '-C', to]],
  ],
};

describe.each(['zip', 'tar.gz'])('a %s', (format) => {
  for (const [name, args] of testers[format] ?? []) {
    it.skipIf(!hasTool(name))(`is accepted by ${name}`, async () => {
      const { archive } = await archiveOf(format);
      tool(name, args(archive));
    });
  }

  for (const [name, args] of extractors[format] ?? []) {
    it.skipIf(!hasTool(name))(`comes out of ${name} whole, and sha256sum says so`, async () => {
      // libarchive composes names while it extracts, so that the decomposed one is another file then.
      const { archive, site } = await archiveOf(format, name === 'bsdtar' ? [decomposed] : []);
      const to = temporaryFolder();
      tool(name, args(archive, to));
      const checked = tool('sha256sum', ['--check', '--strict', 'SHA256SUMS'], to);
      expect(checked.split('\n').filter((line) => line.endsWith(': OK'))).toHaveLength(name === 'bsdtar' ? 49 : 50);
      tool('diff', ['-r', join(site, 'var/uploads'), join(to, 'uploads')]);
      expect(tool('sqlite3', [join(to, 'user.brain'), 'PRAGMA integrity_check']).trim()).toBe('ok');
      const manifest = JSON.parse(readFileSync(join(to, 'manifest.json'), 'utf8')) as { complete: boolean };
      expect(manifest.complete).toBe(true);
    });
  }

  it('has a side file that sha256sum checks', async () => {
    const { folder } = await archiveOf(format);
    expect(tool('sha256sum', ['--check', `site.${format}.sha256`], folder)).toContain(': OK');
    expect(readdirSync(folder)).toEqual([`site.${format}`, `site.${format}.sha256`]);
  });
});

/** How other tools pack a folder's content again, into `out` there. */
const repackers: readonly (readonly [string, string, readonly string[]])[] = [
  ['zip', 'out.zip', ['-qry', '../out.zip', '.']],
  ['7z', 'out.zip', ['a', '-snl', '../out.zip', '.']],
  ['bsdtar', 'out.zip', ['--format', 'zip', '-cf', '../out.zip', '.']],
  ['tar', 'out.tar.gz', ['-czf', '../out.tar.gz', '.']],
  ['bsdtar', 'out.tar.gz', ['-czf', '../out.tar.gz', '.']],
];

describe('an archive that another tool packed again', () => {
  for (const [name, file, args] of repackers) {
    it.skipIf(!hasTool(name))(
      `${name} → ${file}: is found out, and its contents can be proven and restored`,
      async () => {
        const { archive, site } = await archiveOf('tar.gz');
        const folder = temporaryFolder();
        const content = join(folder, 'content');
        mkdirSync(content);
        tool('tar', ['-xzf', archive, '-C', content]);
        tool(name, args, content);
        const repacked = join(folder, file);
        const strict = await bkp(['verify', repacked]);
        expect(strict.code).toBe(14);
        // Names that begin with `./` are refused before the container is compared.
        expect(strict.stdout + strict.stderr).toMatch(/container-altered|entry-path-unsafe|manifest-missing/);
        const lenient = await bkp(['verify', '--allow-repacked', repacked]);
        expect(lenient.stdout + lenient.stderr).not.toContain('entry-');
        expect(lenient.code).toBe(0);
        const target = join(folder, 'restored');
        expect((await bkp(['restore', repacked, '--allow-repacked', '--target', target])).code).toBe(0);
        tool('diff', ['-r', join(site, 'var/uploads'), join(target, 'var/uploads')]);
      },
    );
  }
});
