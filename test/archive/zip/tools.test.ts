import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createWriteStream, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { blockSize } from '../../../src/base/limits.js';
import { CompressPool } from '../../../src/compress/pool.js';
import { body, file, folder, link, noise, sha256, textOf, type Sample } from '../tar/archives.js';
import { openBytes, readZip, writeZip } from './archives.js';

const run = promisify(execFile);
const pool = new CompressPool(2);
let dir = '';
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'bkp-zip-tools-'))));
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

const second = 1_600_000_000_000_000_000n;
const plain: readonly Sample[] = [
  folder('uploads', { mtime: second }),
  folder('uploads/empty folder', { mtime: second, mode: 0o700 }),
  file('uploads/a b', 'content', { mtime: second }),
  file('uploads/émoji 💾', 'content', { mtime: second }),
  file('uploads/e\u0301', 'content', { mtime: second }),
  file('uploads/A', 'upper', { mtime: second }),
  file('uploads/a', 'lower', { mtime: second }),
  file('uploads/quote\'"', 'content', { mtime: second, mode: 0o600 }),
  file(`uploads/${'x'.repeat(255)}`, 'long', { mtime: second, mode: 0o755 }),
  file('uploads/empty', '', { mtime: second }),
  file('uploads/text', 'text '.repeat(1000), { mtime: second, mode: 0o640 }),
  file('uploads/block', Buffer.alloc(blockSize, 'block'), { mtime: second }),
  file('uploads/zeros', Buffer.alloc(5 * blockSize + 3), { mtime: second }),
  file('uploads/noise', noise(3 * blockSize + 5), { mtime: second }),
  file('uploads/owned', 'content', { mtime: second, uid: 33, gid: 4_294_967_294 }),
  link('uploads/link', 'a b', { mtime: second }),
];
/** Names that some tools alter on purpose. */
const awkward: readonly Sample[] = [
  file('uploads/new\nline', 'content', { mtime: second }),
  file('uploads/back\\slash', 'content', { mtime: second }),
  file('uploads/\u0001', 'content', { mtime: -1_500_000_000n }),
  file('uploads/late', 'content', { mtime: 5_000_000_000_000_000_000n }),
];

async function writeOurs(name: string, samples: readonly Sample[]): Promise<string> {
  const { archive } = await writeZip(pool, samples, { comment: '{"id":"x"}' });
  const path = join(dir, name);
  await writeFile(path, archive);
  return path;
}

interface Found {
  readonly kind: string;
  readonly mode: number;
  readonly mtime: number;
  readonly content: string;
}

function treeOf(top: string): Record<string, Found> {
  const found: Record<string, Found> = {};
  for (const path of readdirSync(top, { recursive: true, encoding: 'utf8' })) {
    const stat = lstatSync(join(top, path));
    const kind = stat.isSymbolicLink() ? 'link' : stat.isDirectory() ? 'directory' : 'file';
    const content =
      kind === 'link' ? readlinkSync(join(top, path)) : kind === 'file' ? sha256(readFileSync(join(top, path))) : '';
    found[path] = { kind, mode: stat.mode & 0o7777, mtime: Math.floor(stat.mtimeMs / 1000), content };
  }
  return found;
}

function expectedTree(samples: readonly Sample[], exact = true): Record<string, unknown> {
  return Object.fromEntries(
    samples.map(({ header, bytes }) => {
      const content = header.kind === 'link' ? header.target : header.kind === 'file' ? sha256(bytes) : '';
      // What is extracted into a folder changes its time again with some tools; links have no mode on Linux.
      const mode = header.kind === 'link' ? 0o777 : header.mode;
      const meta = exact && header.kind === 'file' ? { mode, mtime: Number(header.mtime / 1_000_000_000n) } : {};
      return [header.path, expect.objectContaining({ kind: header.kind, content, ...meta })];
    }),
  );
}

describe('what is written is tested without complaint by', () => {
  withTool('unzip')('unzip -t', async () => {
    const path = await writeOurs('unzip.zip', [...plain, ...awkward]);
    const { stdout, stderr } = await run('unzip', ['-t', path]);
    expect(stdout).toContain('No errors detected');
    expect(stderr).toBe('');
  });

  withTool('7z')('7z t', async () => {
    const { stdout } = await run('7z', ['t', await writeOurs('seven.zip', [...plain, ...awkward])]);
    expect(stdout).toContain('Everything is Ok');
    expect(stdout).not.toMatch(/warning|error/i);
  });

  withTool('zip')('zip -T', async () => {
    const { stdout } = await run('zip', ['-T', await writeOurs('zip.zip', [...plain, ...awkward])]);
    expect(stdout).toContain('OK');
  });

  withTool('python3')('Python, with every name, size, time and mode', async () => {
    const samples = [...plain, ...awkward];
    const path = await writeOurs('python.zip', samples);
    const script = `
import json, sys, zipfile, hashlib
with zipfile.ZipFile(sys.argv[1]) as z:
    assert z.testzip() is None
    out = [[i.filename, i.file_size, i.external_attr >> 16, hashlib.sha256(z.read(i)).hexdigest()] for i in z.infolist()]
    json.dump([z.comment.decode(), out], sys.stdout)`;
    const { stdout } = await run('python3', ['-c', script, path], { maxBuffer: 1 << 24 });
    const [comment, found] = JSON.parse(stdout) as [string, unknown[]];
    expect(comment).toBe('{"id":"x"}');
    const types = { file: 0o100000, directory: 0o040000, link: 0o120000 };
    expect(found.slice(0, -2)).toEqual(
      samples.map(({ header, bytes }) => {
        const content = header.kind === 'link' ? Buffer.from(header.target ?? '') : bytes;
        const name = header.kind === 'directory' ? `${header.path}/` : header.path;
        return [name, content.length, types[header.kind] | header.mode, sha256(content)];
      }),
    );
  });

  withTool('bsdtar')('bsdtar, from a file and from a pipe that cannot seek', async () => {
    const path = await writeOurs('bsdtar.zip', [...plain, ...awkward]);
    const env = { ...process.env, LC_ALL: 'C.UTF-8' };
    const listed = spawnSync('bsdtar', ['-tvf', path], { env });
    const piped = spawnSync('bsdtar', ['-tvf', '-'], { env, input: readFileSync(path) });
    for (const { status, stdout, stderr } of [listed, piped]) {
      expect([status, stderr.toString()]).toEqual([0, '']);
      expect(stdout.toString().trimEnd().split('\n')).toHaveLength(plain.length + awkward.length + 2);
    }
  });
});

describe('what is written is brought back by', () => {
  async function extracted(tool: string, samples: readonly Sample[], ...args: readonly string[]): Promise<string> {
    const path = await writeOurs(`${tool}-x.zip`, samples);
    const target = join(dir, `${tool}-extracted`);
    await mkdir(target);
    const env = { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' };
    await run(
      tool,
      args.map((arg) => (arg === '@' ? path : arg === '@target' ? target : arg)),
      { cwd: target, env },
    );
    return target;
  }

  withTool('unzip')('unzip, with every content, mode, time and link', async () => {
    const target = await extracted('unzip', plain, '-q', '@');
    expect(treeOf(target)).toMatchObject(expectedTree(plain));
    expect((await run('sha256sum', ['--quiet', '-c', 'SHA256SUMS'], { cwd: target })).stdout).toBe('');
  });

  withTool('7z')('7z, with every content and link', async () => {
    const target = await extracted('7z', plain, 'x', '@');
    expect(treeOf(target)).toMatchObject(expectedTree(plain, false));
    expect((await run('sha256sum', ['--quiet', '-c', 'SHA256SUMS'], { cwd: target })).stdout).toBe('');
  });

  withTool('bsdtar')('bsdtar, with names that unzip alters too', async () => {
    // It composes what Unicode can compose: a decomposed name comes back as another one.
    const kept = plain.filter(({ header }) => header.path === header.path.normalize());
    const samples = [...kept, ...awkward.slice(0, 2)];
    const target = await extracted('bsdtar', samples, '-xpf', '@', '--no-same-owner');
    expect(treeOf(target)).toMatchObject(expectedTree(samples));
    expect((await run('sha256sum', ['--quiet', '-c', 'SHA256SUMS'], { cwd: target })).stdout).toBe('');
  });
});

describe('what is read may have been written by', () => {
  const contents: Readonly<Record<string, Buffer>> = {
    'uploads/a b': Buffer.from('content'),
    'uploads/ünï 💾': Buffer.from('content'),
    'uploads/empty': Buffer.alloc(0),
    'uploads/text': Buffer.from('text '.repeat(1000)),
    'uploads/large': Buffer.concat([Buffer.alloc(2 * blockSize), noise(blockSize)]),
    'uploads/sub/x': noise(1000),
  };
  let tree = '';
  beforeAll(async () => {
    tree = join(dir, 'tree');
    await mkdir(join(tree, 'uploads/sub'), { recursive: true });
    await mkdir(join(tree, 'uploads/empty folder'));
    for (const [path, bytes] of Object.entries(contents)) {
      await writeFile(join(tree, path), bytes);
      await utimes(join(tree, path), 1_600_000_001, 1_600_000_001);
    }
    await symlink('a b', join(tree, 'uploads/link'));
  });

  interface Keeps {
    readonly links?: boolean;
    readonly folders?: boolean;
    readonly times?: boolean;
  }

  /** All contents are there, and nothing is odd or damaged. */
  async function expectTree(
    archive: Buffer,
    { links = true, folders = true, times = true }: Keeps = {},
  ): Promise<void> {
    const read = await readZip(pool, archive);
    expect(read).toMatchObject({ thrown: undefined, damaged: [], oddities: [] });
    const found = new Map<string, Sample>(body(read.samples).map((sample) => [sample.header.path, sample]));
    for (const [path, bytes] of Object.entries(contents)) {
      expect([path, found.get(path)?.bytes.equals(bytes)]).toEqual([path, true]);
      if (times) expect(found.get(path)?.header.mtime).toBe(1_600_000_001_000_000_000n);
    }
    if (links) expect(found.get('uploads/link')?.header).toMatchObject({ kind: 'link', target: 'a b' });
    if (folders) expect(found.get('uploads/empty folder')?.header.kind).toBe('directory');
    const reader = await openBytes(pool, archive);
    expect(await reader.proveBytes()).toEqual({ sha256: sha256(archive), bodyHash: undefined });
    expect(await reader.isEncrypted()).toBe(false);
  }

  async function made(name: string, command: string, ...args: readonly string[]): Promise<Buffer> {
    const path = join(dir, name);
    const env = { ...process.env, LC_ALL: 'C.UTF-8' };
    await run(
      command,
      args.map((arg) => (arg === '@' ? path : arg)),
      { cwd: tree, env },
    );
    return readFile(path);
  }

  for (const level of ['-0', '-1', '-6', '-9']) {
    withTool('zip')(`zip ${level}`, async () => {
      await expectTree(await made(`zip${level}.zip`, 'zip', '-qry', level, '@', 'uploads'));
    });
  }

  for (const [what, ...args] of [
    ['to a pipe', '-qry', '-', 'uploads'],
    ['to a pipe with descriptors', '-qryfd', '-', 'uploads'],
    ['to a pipe, stored', '-qry0', '-', 'uploads'],
    ['without extra fields', '-qryX', '-', 'uploads'],
  ] as const) {
    withTool('zip')(`zip ${what}`, async () => {
      const child = spawnSync('sh', ['-c', 'zip "$@" | cat', 'sh', ...args], { cwd: tree, maxBuffer: 1 << 26 });
      await expectTree(child.stdout, { times: !what.startsWith('without') });
    });
  }

  withTool('zip')('zip, with descriptors and zip64 in a file', async () => {
    await expectTree(await made('zip-fd.zip', 'zip', '-qryfd', '@', 'uploads'));
    await expectTree(await made('zip-fz.zip', 'zip', '-qry', '-fz', '@', 'uploads'));
  });

  withTool('7z')('7z', async () => {
    // Times in its NTFS field.
    await expectTree(await made('seven-a.zip', '7z', 'a', '-tzip', '-snl', '@', 'uploads'), { times: false });
    await expectTree(await made('seven-0.zip', '7z', 'a', '-tzip', '-mx=0', '-snl', '@', 'uploads'), { times: false });
    const followed = await made('seven-l.zip', '7z', 'a', '-tzip', '-l', '@', 'uploads');
    await expectTree(followed, { times: false, links: false });
  });

  withTool('7z')('7z, encrypted: known as that, and not decoded', async () => {
    const archive = await made('seven-p.zip', '7z', 'a', '-tzip', '-mem=AES256', '-psecret', '@', 'uploads');
    expect(await (await openBytes(pool, archive)).isEncrypted()).toBe(true);
    const { damaged, thrown } = await readZip(pool, archive);
    expect(thrown).toBeUndefined();
    expect(new Set(damaged.map(({ id }) => id))).toEqual(new Set(['content-undecodable']));
  });

  withTool('bsdtar')('bsdtar, to a file and to a pipe', async () => {
    await expectTree(await made('bsd.zip', 'bsdtar', '--format=zip', '-cf', '@', 'uploads'));
    const env = { ...process.env, LC_ALL: 'C.UTF-8' };
    const script = 'bsdtar --format=zip -cf - uploads | cat';
    const padded = spawnSync('sh', ['-c', script], { cwd: tree, env, maxBuffer: 1 << 26 }).stdout;
    // Into a pipe it writes whole blocks of 10 KiB: zeros behind the end, which is what they are called.
    expect((await readZip(pool, padded)).thrown?.id).toBe('data-after-end');
    await expectTree(padded.subarray(0, padded.lastIndexOf('PK\x05\x06') + 22));
  });

  for (const [what, open] of [
    ['', "open(sys.argv[1], 'wb')"],
    [' to what cannot seek', 'Unseekable()'],
  ] as const) {
    withTool('python3')(`Python${what}`, async () => {
      const script = `
import sys, zipfile
class Unseekable:
    def __init__(self): self.f = open(sys.argv[1], 'wb')
    def write(self, data): return self.f.write(data)
    def flush(self): self.f.flush()
    def close(self): self.f.close()
out = ${open}
with zipfile.ZipFile(out, 'w') as z:
    for name in sys.argv[2:]:
        kind = zipfile.ZIP_STORED if name.endswith('x') else zipfile.ZIP_DEFLATED
        z.write(name, compress_type=kind)
        with z.open('again/' + name, 'w', force_zip64=True) as e: e.write(open(name, 'rb').read())
out.close()`;
      const archive = await made(`python${what}.zip`, 'python3', '-c', script, '@', ...Object.keys(contents));
      await expectTree(archive, { links: false, folders: false, times: false });
      const { samples } = await readZip(pool, archive);
      for (const [path, bytes] of Object.entries(contents)) {
        const again = samples.find(({ header }) => header.path === `again/${path}`);
        expect(again?.bytes.equals(bytes)).toBe(true);
      }
    });
  }

  it('yazl, with known and with unknown sizes, stored, deflated and with zip64', async () => {
    for (const forceZip64Format of [false, true]) {
      const zip = new ZipFile();
      const options = { mtime: new Date(1_600_000_001_000), mode: 0o100644, forceZip64Format };
      for (const [index, [path, bytes]] of Object.entries(contents).entries()) {
        if (index % 3 === 0) zip.addFile(join(tree, path), path, { ...options, compress: index % 2 === 0 });
        else zip.addBuffer(bytes, path, { ...options, compress: index % 2 === 0 });
      }
      zip.addEmptyDirectory('uploads/empty folder', { mtime: options.mtime });
      zip.end({ forceZip64Format, comment: 'by yazl' });
      const path = join(dir, `yazl-${forceZip64Format}.zip`);
      await pipeline(zip.outputStream, createWriteStream(path));
      await expectTree(await readFile(path), { links: false });
    }
  });

  withTool('zip', '7z')('another tool that repacked ours: contents alone are the same', async () => {
    const ours = await writeOurs('repack.zip', plain);
    const target = join(dir, 'repack');
    await run('7z', ['x', `-o${target}`, ours]);
    await run('zip', ['-qryX', join(dir, 'repacked.zip'), '.'], { cwd: target });
    const archive = await readFile(join(dir, 'repacked.zip'));
    const read = await readZip(pool, archive, { dropDotSlash: true });
    expect(read).toMatchObject({ thrown: undefined, damaged: [], oddities: [] });
    const found = new Map<string, Buffer>(read.samples.map(({ header, bytes }) => [header.path, bytes]));
    for (const { header, bytes } of plain) expect(found.get(header.path)?.equals(bytes)).toBe(true);
    expect(await textOf((await (await openBytes(pool, archive)).readTail()).sums)).not.toBe('');
  });
});
