import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { walk, type Walked, type WalkOptions } from '../../src/fs/walk.js';
import { linkTo, writeTree } from '../helpers/tree.js';
import { isRoot, oddNames, temporaryFolder, unprivileged } from '../helpers/surroundings.js';

function walked(root: string, options: Partial<WalkOptions> = {}): Walked[] {
  return [...walk({ root, prefix: 'src', ...options })];
}

/** `kind path`, with the id in the place of `finding`. */
function brief(all: readonly Walked[]): string[] {
  return all.map((one) => `${one.kind === 'finding' ? one.id : one.kind} ${one.path}`);
}

describe('order and content', () => {
  it('lists a tree in the order of full path bytes, each folder before its content', async () => {
    const root = temporaryFolder();
    await writeTree(root, { a: { x: '1' }, 'a-b': '2', 'a.txt': '3', a0: '4', B: {}, é: '5', z: { y: { w: '' } } });
    expect(brief(walked(root))).toEqual([
      'directory src',
      'directory src/B',
      'file src/a-b',
      'file src/a.txt',
      'directory src/a',
      'file src/a/x',
      'file src/a0',
      'directory src/z',
      'directory src/z/y',
      'file src/z/y/w',
      'file src/é',
    ]);
  });

  it('gives files in the order of sort with LC_ALL=C, whatever their names', async () => {
    const root = temporaryFolder();
    const folder = Object.fromEntries(oddNames.map((name) => [name, 'x']));
    const tails = ['', '!', ' b', '-c', '.d', '0', '🦊', '\uffee'];
    const nested = Object.fromEntries(tails.map((tail) => [`n${tail}`, tail === '-c' ? 'f' : { ...folder }]));
    await writeTree(root, { ...nested, ...folder, 'n.d.e': '', 'n\u0001': '' });
    const paths = walked(root).flatMap((one) => (one.kind === 'file' ? [one.path as string] : []));
    const input = paths.toSorted(() => -1).join('\0');
    const sorted = execFileSync('sort', ['-z'], { input, env: { ...process.env, LC_ALL: 'C' } }).toString();
    expect(paths).toHaveLength(19 * 8 + 3);
    expect(paths).toEqual(sorted.split('\0').filter(Boolean));
  });

  it('tells mode, times in nanoseconds, owner and identity of each entry', async () => {
    const root = temporaryFolder();
    await writeTree(root, { f: 'four' });
    chmodSync(join(root, 'f'), 0o6751);
    const file = walked(root).find((one) => one.path === 'src/f');
    const stat = lstatSync(join(root, 'f'), { bigint: true });
    expect(file).toEqual({
      kind: 'file',
      path: 'src/f',
      absolute: join(root, 'f'),
      stat: {
        size: 4,
        mode: 0o6751,
        mtime: stat.mtimeNs,
        ctime: stat.ctimeNs,
        uid: Number(stat.uid),
        gid: Number(stat.gid),
        dev: stat.dev,
        ino: stat.ino,
      },
    });
  });

  it('walks a folder of 30,000 files and closes every folder it opened, also when left early', () => {
    const root = temporaryFolder();
    for (let i = 0; i < 30_000; i++) writeFileSync(join(root, `f${i}`), '');
    mkdirSync(join(root, 'd/e'), { recursive: true });
    expect(walked(root)).toHaveLength(30_003);
    for (const one of walk({ root, prefix: 'src' })) if (one.path === 'src/d/e') break;
    expect(openBelow(root)).toEqual([]);
  });

  it('lists the deepest tree an archive takes, and names what is deeper', () => {
    const root = temporaryFolder();
    mkdirSync(join(root, ...Array<string>(300).fill('d')), { recursive: true });
    const all = walked(root);
    expect(all).toHaveLength(257);
    expect(all.at(-1)).toMatchObject({ kind: 'finding', id: 'file-unreadable', message: /too-deep/ });
  });
});

describe('names that are not UTF-8', () => {
  it('are a loss that shows them escaped, while a real U+FFFD is a name like any other', () => {
    const root = temporaryFolder();
    writeFileSync(Buffer.concat([Buffer.from(`${root}/bad`), Buffer.from([0xff, 0x0a])]), '');
    writeFileSync(join(root, 'good\ufffd'), '');
    mkdirSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xc3, 0x28])]));
    expect(brief(walked(root))).toEqual([
      'directory src',
      'name-not-utf8 src/bad\\xff\\x0a',
      'name-not-utf8 src/\\xc3(',
      'file src/good\ufffd',
    ]);
  });

  it('are no loss where the user left them out', () => {
    const root = temporaryFolder();
    writeFileSync(Buffer.concat([Buffer.from(`${root}/bad`), Buffer.from([0xff])]), '');
    expect(brief(walked(root, { exclude: (path) => path.startsWith('src/bad') }))).toEqual(['directory src']);
  });

  it('are a loss as the target of a link', () => {
    const root = temporaryFolder();
    symlinkSync(Buffer.from([0x78, 0xff]), join(root, 'l'));
    expect(brief(walked(root))).toEqual(['directory src', 'name-not-utf8 src/l']);
  });
});

describe('links', () => {
  it('are kept, not followed, where they stay inside the source, dangling and circular ones too', async () => {
    const root = temporaryFolder();
    const tree = { sub: { f: 'x', up: linkTo('../f2'), self: linkTo('.') }, f2: '', loop: linkTo('loop') };
    await writeTree(root, { ...tree, dangling: linkTo('none/x'), abs: linkTo(join(root, 'sub/f')) });
    const links = walked(root).flatMap((one) => (one.kind === 'link' ? [`${one.path} -> ${one.target}`] : []));
    expect(links).toEqual([
      `src/abs -> ${root}/sub/f`,
      'src/dangling -> none/x',
      'src/loop -> loop',
      'src/sub/self -> .',
      'src/sub/up -> ../f2',
    ]);
  });

  it('are a loss where they leave the source, by text or by where they really lead', async () => {
    const outer = temporaryFolder();
    const root = join(outer, 'root');
    await writeTree(outer, { 'root-evil': { f: '' }, root: { real: {} } });
    await writeTree(root, {
      up: linkTo('..'),
      sibling: linkTo('../root-evil/f'),
      back: linkTo('../root/real'),
      abs: linkTo('/etc/passwd'),
      absDangling: linkTo('/nowhere/at/all'),
      hop: linkTo('real/out'),
      through: linkTo('real/out/missing'),
      sneaky: linkTo('real/out/../root/real'),
    });
    symlinkSync(outer, join(root, 'real/out'));
    const findings = brief(walked(root)).filter((line) => !line.startsWith('directory'));
    const names = ['abs', 'absDangling', 'back', 'hop', 'real/out', 'sibling', 'sneaky', 'through', 'up'];
    expect(findings).toEqual(names.map((name) => `link-leaves-source src/${name}`));
  });
});

describe('what is left out', () => {
  it('is not descended, whether excluded by name or skipped by identity', async () => {
    const root = temporaryFolder();
    await writeTree(root, { keep: { f: '' }, cache: { f: '' }, store: { f: '' }, twin: '' });
    linkSync(join(root, 'twin'), join(root, 'twin2'));
    const store = lstatSync(join(root, 'store'), { bigint: true });
    const all = walked(root, {
      exclude: (path, isDirectory) => isDirectory && path === 'src/cache',
      skip: ({ dev, ino, absolute }) => (dev === store.dev && ino === store.ino) || absolute === join(root, 'twin'),
    });
    expect(brief(all)).toEqual(['directory src', 'directory src/keep', 'file src/keep/f', 'file src/twin2']);
  });

  it('lets a failing rule through instead of calling it an unreadable file', async () => {
    const root = temporaryFolder();
    await writeTree(root, { f: '' });
    const skip = (): boolean => {
      throw new Error('a bug');
    };
    expect(() => walked(root, { skip })).toThrow('a bug');
  });
});

describe('what cannot be backed up', () => {
  it('notes sockets and named pipes', async () => {
    const root = temporaryFolder();
    execFileSync('mkfifo', [join(root, 'pipe')]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(root, 'socket'), resolve));
    onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
    expect(walked(root).slice(1)).toMatchObject([
      { id: 'special-file', path: 'src/pipe', message: /named pipe/ },
      { id: 'special-file', path: 'src/socket', message: /socket/ },
    ]);
  });

  it('names folders that may not be listed or entered, and goes on', async () => {
    const root = temporaryFolder();
    await writeTree(root, { closed: { f: '' }, listable: { f: '' }, open: { f: '' } });
    chmodSync(join(root, 'closed'), 0o300);
    chmodSync(join(root, 'listable'), 0o444);
    if (!isRoot) return;
    expect(brief(unprivileged(() => walked(root)))).toEqual([
      'directory src',
      'directory src/closed',
      'file-unreadable src/closed',
      'directory src/listable',
      'file-unreadable src/listable/f',
      'directory src/open',
      'file src/open/f',
    ]);
  });

  it('names what vanishes or is replaced while the walk is on', async () => {
    const root = temporaryFolder();
    await writeTree(root, { a: {}, gone: '', goneFolder: { f: '' }, turned: '' });
    const seen: Walked[] = [];
    for (const one of walk({ root, prefix: 'src' })) {
      seen.push(one);
      if (one.path === 'src/a') {
        rmSync(join(root, 'gone'));
        rmSync(join(root, 'turned'));
        mkdirSync(join(root, 'turned'));
      }
      if (one.kind === 'directory' && one.path === 'src/goneFolder')
        rmSync(join(root, 'goneFolder'), { recursive: true });
    }
    expect(brief(seen)).toEqual([
      'directory src',
      'directory src/a',
      'file-vanished src/gone',
      'directory src/goneFolder',
      'file-vanished src/goneFolder',
      'file-vanished src/turned',
    ]);
  });

  it('never follows a link put in the place of a folder while the walk is on', async () => {
    const outer = temporaryFolder();
    await writeTree(outer, { secret: { f: 'secret' }, root: { a: { f: 'mine', g: '' } } });
    const root = join(outer, 'root');
    const seen: Walked[] = [];
    for (const one of walk({ root, prefix: 'src' })) {
      seen.push(one);
      if (one.path !== 'src/a/f') continue;
      renameSync(join(root, 'a'), join(outer, 'moved'));
      symlinkSync(join(outer, 'secret'), join(root, 'a'));
    }
    const moved = lstatSync(join(outer, 'moved/g'), { bigint: true });
    expect(seen.at(-1)).toMatchObject({ kind: 'file', path: 'src/a/g', stat: { ino: moved.ino } });
    expect(seen).toHaveLength(4);
  });

  it('says so where the root is missing or no folder', () => {
    const root = temporaryFolder();
    writeFileSync(join(root, 'f'), '');
    expect(brief(walked(join(root, 'none')))).toEqual(['file-vanished src']);
    expect(brief(walked(join(root, 'f')))).toEqual(['file-vanished src']);
    expect(realpathSync(root)).toBe(root);
  });
});

/** Descriptors of what lies in a folder; others are the test runner's. */
function openBelow(folder: string): readonly string[] {
  if (process.platform !== 'linux') return [];
  const targets = execFileSync('find', [`/proc/${process.pid}/fd`, '-printf', '%l\\n'], { encoding: 'utf8' });
  return targets.split('\n').filter((target) => target.startsWith(folder));
}
