import { execFile, execFileSync } from 'node:child_process';
import { link as hardLink, mkdir, mkdtemp, readFile, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packHeader } from '../../../src/archive/tar/pack-header.js';
import { packHead } from '../../../src/archive/tar/tar-packer.js';
import { blockSize } from '../../../src/base/limits.js';
import { CompressPool } from '../../../src/compress/pool.js';
import { file, folder, link, noise, readAll, write, type Sample } from './archives.js';

const run = promisify(execFile);
const pool = new CompressPool(2);
let dir = '';
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'bkp-tools-'))));
afterAll(async () => {
  await rm(dir, { recursive: true });
  await pool.close();
});

function has(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const withTool = (...commands: readonly string[]): typeof it => (commands.every(has) ? it : it.skip) as typeof it;

const exact = 1_600_000_000_123_456_789n;
const ours: readonly Sample[] = [
  folder('uploads', { mtime: exact }),
  file('uploads/a b', 'content'),
  file('uploads/émoji 💾', 'content', { mtime: exact }),
  file('uploads/new\nline', 'content', { mtime: -1_500_000_000n }),
  file('uploads/=', 'content', { mtime: 5_000_000_000_000_000_000n }),
  file(`uploads/${'x'.repeat(255)}`, 'long', { mode: 0o600 }),
  file(`uploads/${`${'deep'.repeat(20)}/`.repeat(12)}end`, 'deep', { mode: 0o4755 }),
  folder(`uploads/${'y'.repeat(92)}`),
  file('uploads/empty', ''),
  file('uploads/large', noise(3 * blockSize + 5), { mode: 0o640 }),
  link('uploads/link', 'a b'),
  link('uploads/long link', `${'up/'.repeat(60)}ü`),
  file('uploads/last', 'content', { uid: 4_000_000_000, gid: 300_000 }),
];

async function writeOurs(name: string): Promise<{ path: string; entries: number }> {
  const { archive } = await write(pool, ours);
  const path = join(dir, name);
  await writeFile(path, archive);
  return { path, entries: ours.length + 2 };
}

describe('what is written can be read by', () => {
  for (const [tool, ...args] of [
    ['gzip', '-t'],
    ['pigz', '-t'],
    ['7z', 't'],
  ] as const) {
    withTool(tool)(`${tool} ${args.join(' ')}`, async () => {
      const { path } = await writeOurs(`test-${tool}.tar.gz`);
      await expect(run(tool, [...args, path])).resolves.toBeDefined();
    });
  }

  for (const tool of ['tar', 'bsdtar'] as const) {
    withTool(tool)(`${tool}, which lists everything without a warning`, async () => {
      const { path, entries } = await writeOurs(`list-${tool}.tar.gz`);
      const { stdout, stderr } = await run(tool, ['-tzvf', path]);
      expect(stdout.trimEnd().split('\n')).toHaveLength(entries);
      expect(stderr).toBe('');
    });

    withTool(tool)(`${tool}, which brings every content, mode and time back`, async () => {
      const { path } = await writeOurs(`extract-${tool}.tar.gz`);
      const target = join(dir, `extracted-${tool}`);
      await mkdir(target);
      // A file system need not know times as far away as an archive.
      await run(tool, ['-xzpf', path, '-C', target, '--no-same-owner']);
      expect(treeOf(target)).toEqual(expectedTree());
    });
  }

  withTool('python3')('Python, with every owner, mode, time and target', async () => {
    const { path } = await writeOurs('python.tar.gz');
    const script = `
import hashlib, json, sys, tarfile
out = []
with tarfile.open(sys.argv[1]) as tar:
    for m in tar:
        body = tar.extractfile(m).read() if m.isreg() else b''
        out.append([m.name, m.isdir(), m.linkname, m.mode, m.uid, m.gid, round(m.mtime, 3), hashlib.sha256(body).hexdigest()])
json.dump(out, sys.stdout)`;
    const { stdout } = await run('python3', ['-c', script, path], { maxBuffer: 1e8 });
    const found = JSON.parse(stdout) as unknown[];
    const { samples } = await readAll(pool, await readFile(path));
    expect(found).toHaveLength(samples.length);
    const { createHash } = await import('node:crypto');
    expect(found).toEqual(
      samples.map(({ header, bytes }) => [
        header.path,
        header.kind === 'directory',
        header.target ?? '',
        header.mode,
        header.uid,
        header.gid,
        Math.round(Number(header.mtime / 1000n) / 1e3) / 1e3,
        createHash('sha256').update(bytes).digest('hex'),
      ]),
    );
  });

  for (const [tool, ...args] of [
    ['tar', '-tvf', '-'],
    ['bsdtar', '-tvf', '-'],
  ] as const) {
    withTool(tool)(`${tool}, which knows the size of a file beyond eight gigabytes`, async () => {
      const head = await packHead(packHeader({ ...file('huge', '').header, size: 9 * 1024 ** 3 }));
      const listing = run(tool, args);
      listing.child.stdin?.on('error', () => undefined);
      listing.child.stdin?.end(Buffer.concat([head, Buffer.alloc(blockSize)]));
      // The rest of the content is missing, so the tool fails in the end.
      const output = await listing.catch((error: unknown) => error as { stdout: string });
      expect(output.stdout).toContain('9663676416');
    });
  }
});

function expectedTree(): Record<string, unknown> {
  const tree: Record<string, unknown> = {};
  for (const { header, bytes } of ours) {
    if (header.kind === 'file') tree[header.path] = describeFile(bytes, header.mode & 0o777, header.mtime);
    if (header.kind === 'directory') tree[header.path] = 'folder';
    if (header.kind === 'link') tree[header.path] = `link to ${header.target}`;
  }
  return tree;
}

/** Times to the second, where a common file system can hold them. */
function describeFile(bytes: Buffer, mode: number, mtime: bigint): string {
  const seconds = mtime > 0n && mtime < 4_000_000_000_000_000_000n ? mtime / 1_000_000_000n : 'far';
  return `${bytes.toString('base64').slice(0, 40)} ${bytes.length} ${mode.toString(8)} ${seconds}`;
}

function treeOf(root: string): Record<string, unknown> {
  const tree: Record<string, unknown> = {};
  for (const entry of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    const path = join(root, entry);
    const stat = lstatSync(path, { bigint: true });
    if (entry === 'SHA256SUMS' || entry === 'manifest.json') continue;
    if (stat.isDirectory()) tree[entry] = 'folder';
    else if (stat.isSymbolicLink()) tree[entry] = `link to ${readlinkSync(path)}`;
    else tree[entry] = describeFile(readFileSync(path), Number(stat.mode & 0o777n), stat.mtimeNs);
  }
  // Folders that only lie on the way to a file are not in the list.
  const listed = new Set<string>(ours.map(({ header }) => header.path));
  return Object.fromEntries(Object.entries(tree).filter(([path, what]) => what !== 'folder' || listed.has(path)));
}

describe('what others write is read, made by', () => {
  let tree = '';
  const long = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(120)}`;
  const plain: Readonly<Record<string, Buffer>> = {
    'a b': Buffer.from('content'),
    empty: Buffer.alloc(0),
    'block-1': noise(511),
    block: noise(512),
    'block+1': noise(513),
    large: noise(2 * blockSize + 3),
  };

  beforeAll(async () => {
    tree = join(dir, 'tree');
    await mkdir(join(tree, 'uploads', 'sub', 'empty folder'), { recursive: true });
    for (const [name, bytes] of Object.entries(plain)) await writeFile(join(tree, 'uploads', name), bytes);
    await symlink('a b', join(tree, 'uploads', 'link'));
    await utimes(join(tree, 'uploads', 'a b'), 1_600_000_000.25, 1_600_000_000.25);
    await mkdir(join(tree, 'odd', ...long.split('/').slice(0, 2)), { recursive: true });
    await writeFile(join(tree, 'odd', long), 'long');
    await writeFile(join(tree, 'odd', 'ünïcode 💾'), 'u');
    await writeFile(join(tree, 'odd', 'new\nline=1'), 'n');
    await symlink(`${'t/'.repeat(90)}end`, join(tree, 'odd', 'long link'));
  });

  async function expectUploads(archive: Buffer, exactTimes: boolean): Promise<readonly Sample[]> {
    const read = await readAll(pool, archive);
    expect(read).toMatchObject({ thrown: undefined, oddities: [], damaged: [] });
    const found = new Map<string, Sample>(read.samples.map((sample) => [sample.header.path, sample]));
    for (const [name, bytes] of Object.entries(plain)) {
      expect(found.get(`uploads/${name}`)?.bytes.equals(bytes)).toBe(true);
    }
    expect(found.get('uploads/link')?.header).toMatchObject({ kind: 'link', target: 'a b' });
    expect(found.get('uploads/sub/empty folder')?.header.kind).toBe('directory');
    const mtime = found.get('uploads/a b')!.header.mtime;
    expect(mtime).toBe(exactTimes ? 1_600_000_000_250_000_000n : 1_600_000_000_000_000_000n);
    return read.samples;
  }

  function expectOdd(samples: readonly Sample[]): void {
    const found = new Map<string, Sample>(samples.map((sample) => [sample.header.path, sample]));
    expect(found.get(`odd/${long}`)?.bytes.toString()).toBe('long');
    expect(found.get('odd/ünïcode 💾')?.bytes.toString()).toBe('u');
    expect(found.get('odd/new\nline=1')?.bytes.toString()).toBe('n');
    expect(found.get('odd/long link')?.header.target).toBe(`${'t/'.repeat(90)}end`);
  }

  async function made(name: string, command: string, ...args: readonly string[]): Promise<Buffer> {
    const path = join(dir, name);
    await run(
      command,
      args.map((arg) => (arg === '@' ? path : arg)),
      { cwd: tree },
    );
    return readFile(path);
  }

  for (const [format, exactTimes, holdsOdd] of [
    ['gnu', false, true],
    ['posix', true, true],
    ['ustar', false, false],
    ['v7', false, false],
    ['oldgnu', false, true],
  ] as const) {
    withTool('tar')(`tar --format=${format}`, async () => {
      const what = holdsOdd ? ['uploads', 'odd'] : ['uploads'];
      const samples = await expectUploads(
        await made(`tar-${format}.tgz`, 'tar', `--format=${format}`, '-czf', '@', ...what),
        exactTimes,
      );
      if (holdsOdd) expectOdd(samples);
    });
  }

  for (const [format, exactTimes, holdsOdd] of [
    ['pax', true, true],
    ['ustar', false, false],
    ['gnutar', false, true],
    ['v7', false, false],
  ] as const) {
    withTool('bsdtar')(`bsdtar --format=${format}`, async () => {
      const what = holdsOdd ? ['uploads', 'odd'] : ['uploads'];
      const samples = await expectUploads(
        await made(`bsdtar-${format}.tgz`, 'bsdtar', `--format=${format}`, '-czf', '@', ...what),
        exactTimes,
      );
      if (holdsOdd) expectOdd(samples);
    });
  }

  for (const format of ['PAX_FORMAT', 'GNU_FORMAT', 'USTAR_FORMAT'] as const) {
    withTool('python3')(`Python with ${format}`, async () => {
      const holdsOdd = format !== 'USTAR_FORMAT';
      const script = `
import sys, tarfile
with tarfile.open(sys.argv[1], 'w:gz', format=tarfile.${format}) as tar:
    for name in sys.argv[2:]: tar.add(name)`;
      const what = holdsOdd ? ['uploads', 'odd'] : ['uploads'];
      const archive = await made(`python-${format}.tgz`, 'python3', '-c', script, '@', ...what);
      const samples = await expectUploads(archive, format === 'PAX_FORMAT');
      if (holdsOdd) expectOdd(samples);
    });
  }

  withTool('7z', 'gzip')('7z, which follows links unless told otherwise', async () => {
    const path = join(dir, 'seven.tar');
    await run('7z', ['a', '-ttar', '-snl', path, 'uploads', 'odd'], { cwd: tree });
    await run('7z', ['a', '-tgzip', join(dir, 'seven.tgz'), path]);
    const read = await readAll(pool, await readFile(join(dir, 'seven.tgz')));
    expect(read).toMatchObject({ thrown: undefined, damaged: [] });
    const found = new Map<string, Sample>(read.samples.map((sample) => [sample.header.path, sample]));
    for (const [name, bytes] of Object.entries(plain)) {
      expect(found.get(`uploads/${name}`)?.bytes.equals(bytes)).toBe(true);
    }
    expectOdd(read.samples);
  });

  withTool('tar', 'pigz')('tar with pigz, in one stream and in independent blocks', async () => {
    await expectUploads(await made('pigz.tgz', 'tar', '-I', 'pigz', '-cf', '@', 'uploads'), false);
    await expectUploads(await made('pigz-i.tgz', 'tar', '-I', 'pigz -i -b 128', '-cf', '@', 'uploads'), false);
  });

  withTool('tar')('tar with a dot, where that is allowed', async () => {
    const archive = await made('dot.tgz', 'tar', '-czf', '@', '.');
    expect((await readAll(pool, archive)).thrown?.id).toBe('entry-path-unsafe');
    const read = await readAll(pool, archive, { dropDotSlash: true });
    expect(read).toMatchObject({ thrown: undefined, oddities: [], damaged: [] });
    expectOdd(read.samples);
  });

  withTool('tar')('tar with hard links, fifos and sparse files: shown as damage, never as content', async () => {
    const special = join(tree, 'special');
    await mkdir(special);
    await writeFile(join(special, 'a'), 'content');
    await hardLink(join(special, 'a'), join(special, 'b'));
    await run('mkfifo', [join(special, 'fifo')]);
    await writeFile(join(special, 'sparse'), 'x');
    await truncate(join(special, 'sparse'), 8 * blockSize);
    const posix = await readAll(
      pool,
      await made('special.tgz', 'tar', '--format=posix', '--sort=name', '-cSzf', '@', 'special'),
    );
    expect(posix.thrown).toBeUndefined();
    expect(posix.damaged.map(({ id }) => id)).toEqual(Array(3).fill('entry-type-forbidden'));
    const gnu = await readAll(
      pool,
      await made('special-gnu.tgz', 'tar', '--format=gnu', '--sort=name', '-cSzf', '@', 'special'),
    );
    expect(gnu.thrown?.id).toBe('entry-type-forbidden');
  });
});
