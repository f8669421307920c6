import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { limits } from '../../src/base/limits.js';
import type { Metadata } from '../../src/fs/metadata.js';
import { TreeWriter, type TreeWriterOptions } from '../../src/fs/tree-writer.js';
import { bytes, expectTree, linkTo, withMeta } from '../helpers/tree.js';
import { isRoot, oddNames, temporaryFolder, tinyFileSystem, unprivilegedAsync } from '../helpers/surroundings.js';

const meta: Metadata = { mode: 0o644, mtime: 1_700_000_000_123_456_000n, uid: process.getuid?.() ?? 0, gid: 0 };
const x = Buffer.from('x');

function writerIn(root: string, options: Partial<TreeWriterOptions> = {}): TreeWriter {
  const writer = new TreeWriter(root, { owner: 'self', sync: false, ...options });
  onTestFinished(() => writer.close());
  return writer;
}

describe('content', () => {
  it('writes files, folders and links, empty ones too, and counts them', async () => {
    const root = temporaryFolder();
    const writer = writerIn(root, { sync: true });
    writer.createDirectory('up', { ...meta, mode: 0o750 });
    writer.createDirectory('up/empty', meta);
    await writer.writeFile('up/a', bytes(10), meta);
    await writer.writeFile('up/none', Buffer.alloc(0), meta);
    const large = writer.createFile('up/large', { ...meta, mode: 0o600 });
    for (let i = 0; i < 3; i++) await large.write(bytes(100_000, i));
    await large.close();
    writer.createLink('up/l', '../anywhere', meta);
    expect(await writer.finish()).toEqual({ files: 3, directories: 2, links: 1, ownersNotSet: 0, setIdsDropped: 0 });
    const content = Buffer.concat([0, 1, 2].map((seed) => bytes(100_000, seed)));
    await expectTree(root, {
      up: withMeta(
        {
          a: withMeta(bytes(10), { mode: 0o644, mtime: meta.mtime }),
          none: '',
          large: withMeta(content, { mode: 0o600 }),
          empty: withMeta({}, { mtime: meta.mtime }),
          l: withMeta(linkTo('../anywhere'), { mtime: meta.mtime }),
        },
        { mode: 0o750, mtime: meta.mtime },
      ),
    });
  });

  it('writes every name a file system takes', async () => {
    const root = temporaryFolder();
    const writer = writerIn(root);
    for (const name of oddNames) {
      await writer.writeFile(`files/${name}`, x, meta);
      await writer.writeFile(`folders/${name}/${name}`, x, meta);
      writer.createLink(`links/${name}`, name, meta);
    }
    await writer.finish();
    const tree = <T>(of: (name: string) => T): Record<string, T> =>
      Object.fromEntries(oddNames.map((name) => [name, of(name)]));
    await expectTree(root, {
      files: tree(() => x),
      folders: tree((name) => Object.fromEntries([[name, x]])),
      links: tree(linkTo),
    });
  });

  it('makes the folders nobody described readable, and leaves the descriptions of others to come', async () => {
    const root = temporaryFolder();
    const writer = writerIn(root);
    await writer.writeFile('a/b/c', x, meta);
    writer.createDirectory('a', { ...meta, mode: 0o711 });
    expect(await writer.finish()).toMatchObject({ directories: 1 });
    await expectTree(root, { a: withMeta({ b: withMeta({ c: 'x' }, { mode: 0o755 }) }, { mode: 0o711 }) });
  });

  it('brings thousands of files to the disk', async () => {
    const root = temporaryFolder();
    const writer = writerIn(root, { sync: true });
    for (let i = 0; i < 2000; i++) await writer.writeFile(`d${i % 7}/f${i}`, x, meta);
    expect(await writer.finish()).toMatchObject({ files: 2000 });
  });
});

describe('metadata', () => {
  it('puts back every mode, also of folders and also as an unprivileged user', async () => {
    const folder = temporaryFolder();
    const modes = [0o000, 0o100, 0o200, 0o400, 0o444, 0o555, 0o644, 0o777, 0o1777, 0o4755, 0o2755, 0o6751, 0o7777];
    const roots = [join(folder, 'self'), join(folder, 'nobody')];
    const write = async (root: string): Promise<void> => {
      mkdirSync(root);
      const own = { ...meta, uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
      const writer = writerIn(root, { owner: 'archive', sync: true });
      for (const mode of modes) {
        const name = mode.toString(8);
        await writer.writeFile(`d${name}/f${name}`, x, { ...own, mode });
        writer.createDirectory(`d${name}/sub`, { ...own, mode });
        writer.createDirectory(`d${name}`, { ...own, mode });
      }
      expect(await writer.finish()).toMatchObject({ ownersNotSet: 0, setIdsDropped: 0 });
    };
    await write(roots[0]!);
    if (isRoot) {
      process.setegid?.(65534);
      await unprivilegedAsync(() => write(roots[1]!)).finally(() => process.setegid?.(0));
    }
    for (const root of isRoot ? roots : []) {
      for (const mode of modes) {
        const name = mode.toString(8);
        const paths = [`d${name}`, `d${name}/sub`, `d${name}/f${name}`];
        expect(paths.map((path) => statSync(join(root, path)).mode & 0o7777)).toEqual([mode, mode, mode]);
      }
    }
  });

  it('puts back times before 1970 and after 2038 to the microsecond, of files, folders and links', async () => {
    const root = temporaryFolder();
    const writer = writerIn(root);
    const times = [-1_500_000_000n, -1_234_567_890_123_456_000n, 0n, 1_000n, 2_147_483_648_000_001_000n];
    times.push(4_102_444_800_999_999_000n, 1_700_000_000_000_001_000n);
    for (const mtime of times) {
      await writer.writeFile(`f${mtime}`, x, { ...meta, mtime });
      writer.createDirectory(`d${mtime}`, { ...meta, mtime });
      await writer.writeFile(`d${mtime}/later`, x, meta);
      writer.createLink(`l${mtime}`, 'x', { ...meta, mtime });
    }
    await writer.finish();
    for (const mtime of times) {
      for (const kind of ['f', 'd', 'l']) {
        expect(lstatSync(join(root, `${kind}${mtime}`), { bigint: true }).mtimeNs).toBe(mtime);
      }
    }
  });

  it.runIf(isRoot)('puts back owners up to the largest id, and set-id bits after them', async () => {
    const root = temporaryFolder();
    const writer = writerIn(root, { owner: 'archive' });
    const owned = { ...meta, uid: 4_294_967_294, gid: 4_294_967_294, mode: 0o6755 };
    await writer.writeFile('f', x, owned);
    writer.createDirectory('d', owned);
    writer.createLink('l', 'x', owned);
    expect(await writer.finish()).toMatchObject({ ownersNotSet: 0, setIdsDropped: 0 });
    const ids = { uid: owned.uid, gid: owned.gid };
    await expectTree(root, {
      f: withMeta('x', { ...ids, mode: 0o6755 }),
      d: withMeta({}, { ...ids, mode: 0o6755 }),
      l: withMeta(linkTo('x'), ids),
    });
  });

  it.runIf(isRoot)('counts owners it may not set, and lends nobody the rights of another', async () => {
    const root = temporaryFolder();
    const counts = await unprivilegedAsync(async () => {
      const writer = writerIn(root, { owner: 'archive' });
      await writer.writeFile('f', x, { ...meta, uid: 0, gid: 0, mode: 0o6755 });
      await writer.writeFile('plain', x, { ...meta, uid: 0, mode: 0o640 });
      writer.createLink('l', 'x', { ...meta, uid: 0 });
      return writer.finish();
    });
    expect(counts).toMatchObject({ ownersNotSet: 3, setIdsDropped: 1 });
    expect(statSync(join(root, 'f')).mode & 0o4000).toBe(0);
    expect(statSync(join(root, 'plain')).mode & 0o7777).toBe(0o640);
  });

  it.runIf(isRoot)(
    'gives all to the user it runs as where that is asked for, without foreign set-id bits',
    async () => {
      const root = temporaryFolder();
      const writer = writerIn(root, { owner: 'self' });
      await writer.writeFile('theirs', x, { ...meta, uid: 33, gid: 33, mode: 0o6755 });
      await writer.writeFile('ours', x, { ...meta, uid: 0, gid: 0, mode: 0o6755 });
      expect(await writer.finish()).toMatchObject({ ownersNotSet: 0, setIdsDropped: 1 });
      await expectTree(root, {
        theirs: withMeta('x', { uid: 0, mode: 0o755 }),
        ours: withMeta('x', { uid: 0, mode: 0o6755 }),
      });
    },
  );

  it.runIf(isRoot)('takes the id that means "nobody set" as one that cannot be set', async () => {
    const root = temporaryFolder();
    const writer = writerIn(root, { owner: 'archive' });
    await writer.writeFile('f', x, { ...meta, uid: 4_294_967_295, mode: 0o4755 });
    expect(await writer.finish()).toMatchObject({ ownersNotSet: 1, setIdsDropped: 1 });
  });
});

describe('safety', () => {
  for (const path of [
    '',
    '/abs',
    '../x',
    'a/../x',
    'a//x',
    './x',
    'a/.',
    'nul\0',
    'x'.repeat(256),
    'a/'.repeat(256) + 'b',
  ]) {
    it(`refuses the path ${JSON.stringify(path.slice(0, 20))}`, async () => {
      const root = join(temporaryFolder(), 'root');
      mkdirSync(root);
      const writer = writerIn(root);
      await expect(writer.writeFile(path, x, meta)).rejects.toThrow(RangeError);
      expect(() => writer.createDirectory(path, meta)).toThrow(RangeError);
      expect(() => writer.createLink(path, 'x', meta)).toThrow(RangeError);
      expect(() => writer.createFile(path, meta)).toThrow(RangeError);
      expect(readdirSync(root)).toEqual([]);
    });
  }

  it('never writes through a link, whether written before or planted in the target', async () => {
    const outside = temporaryFolder();
    const root = temporaryFolder();
    symlinkSync(outside, join(root, 'planted'));
    const writer = writerIn(root);
    writer.createLink('own', outside, meta);
    for (const name of ['planted', 'own']) {
      await expect(writer.writeFile(`${name}/f`, x, meta)).rejects.toMatchObject({ id: 'name-collision' });
      await expect(writer.writeFile(name, x, meta)).rejects.toMatchObject({ id: 'name-collision' });
      expect(() => writer.createDirectory(name, meta)).toThrow(/is there already/);
      expect(() => writer.createDirectory(`${name}/d`, meta)).toThrow(/is there already/);
    }
    expect(readdirSync(outside)).toEqual([]);
  });

  it('refuses a name that is taken, by a file, a folder or the same entry again', async () => {
    const root = temporaryFolder();
    const writer = writerIn(root);
    await writer.writeFile('f', x, meta);
    writer.createDirectory('d', meta);
    const taken = { id: 'name-collision', exitCode: 15 };
    await expect(writer.writeFile('f', x, meta)).rejects.toMatchObject(taken);
    await expect(writer.writeFile('f/below', x, meta)).rejects.toMatchObject(taken);
    await expect(writer.writeFile('d', x, meta)).rejects.toMatchObject(taken);
    expect(() => writer.createDirectory('d', meta)).toThrow(expect.objectContaining(taken));
    expect(() => writer.createLink('d', 'x', meta)).toThrow(expect.objectContaining(taken));
  });

  it('refuses a folder that appears under a name of its own in a tree that was empty', async () => {
    const root = temporaryFolder();
    const writer = writerIn(root);
    mkdirSync(join(root, 'folded'));
    await expect(writer.writeFile('folded/f', x, meta)).rejects.toMatchObject({ id: 'name-collision' });
  });

  it('writes into real folders that were there, and leaves them as they were', async () => {
    const root = temporaryFolder();
    mkdirSync(join(root, 'there'));
    chmodSync(join(root, 'there'), 0o711);
    writeFileSync(join(root, 'there/old'), 'old');
    const writer = writerIn(root, { sync: true });
    await writer.writeFile('there/new', x, meta);
    await writer.finish();
    await expectTree(root, { there: withMeta({ old: 'old', new: 'x' }, { mode: 0o711 }) });
  });

  it('keeps files private until they are complete', async () => {
    const root = temporaryFolder();
    const writer = writerIn(root);
    const file = writer.createFile('f', { ...meta, mode: 0o777 });
    await file.write(x);
    expect(statSync(join(root, 'f')).mode & 0o7777).toBe(0o600);
    file.abandon();
    file.abandon();
    await file.close();
    expect(statSync(join(root, 'f')).mode & 0o7777).toBe(0o600);
  });

  it('says where a target is missing', () => {
    const root = join(temporaryFolder(), 'none');
    expect(() => new TreeWriter(root, { owner: 'self', sync: false })).toThrow(
      expect.objectContaining({ id: 'target-unwritable', path: root }),
    );
  });

  it('names the file, not our way to it, where something fails', async () => {
    const root = temporaryFolder();
    const writer = writerIn(root);
    const failure = await writer.writeFile(`${'é'.repeat(120)}/${'y'.repeat(255)}/ok`, x, meta).then(() =>
      writer.writeFile('gone/f', x, meta).then(async () => {
        execFileSync('rm', ['-r', join(root, 'gone')]);
        return writer.writeFile('gone/g', x, meta).catch((error: unknown) => error);
      }),
    );
    expect(failure).toMatchObject({ id: 'target-unwritable', path: join(root, 'gone/g') });
    expect((failure as Error).message).not.toContain('/proc');
    expect(limits.maxNameBytes).toBe(255);
  });

  it('ends with the exit code for a full disk', async (context) => {
    const root = tinyFileSystem(65_536);
    if (root === undefined) return context.skip();
    const writer = writerIn(root);
    await expect(writer.writeFile('f', bytes(1_000_000), meta)).rejects.toMatchObject({ id: 'no-space', exitCode: 13 });
    const file = writer.createFile('g', meta);
    await expect(file.write(bytes(1_000_000))).rejects.toMatchObject({ id: 'no-space' });
    file.abandon();
  });
});
