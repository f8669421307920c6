import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { blockSize } from '../../src/base/limits.js';
import { FileWriter } from '../../src/fs/file-writer.js';
import type { Metadata, OwnerPolicy } from '../../src/fs/metadata.js';
import { InsideFolder } from '../../src/fs/open-inside.js';
import { isRoot, temporaryFolder, tinyFileSystem, unprivilegedAsync } from '../helpers/surroundings.js';
import { bytes } from '../helpers/tree.js';

const meta: Metadata = { mode: 0o640, mtime: 1_700_000_000_123_456_000n, uid: process.getuid?.() ?? 0, gid: 0 };

function writerIn(root: string, owner: OwnerPolicy = 'self'): FileWriter {
  const inside = new InsideFolder(root);
  const writer = new FileWriter(inside, owner);
  onTestFinished(async () => {
    await writer.close();
    inside.close();
  });
  return writer;
}

async function writeMany(writer: FileWriter, count: number, prefix = 'f'): Promise<void> {
  for (let i = 0; i < count; i++) await writer.add(`${prefix}${i}`, bytes(100, i), meta);
}

it('writes more files than a batch holds, empty ones and whole blocks, each as it was given', async () => {
  const root = temporaryFolder();
  const writer = writerIn(root);
  const sizes = [0, 1, blockSize, 5_000, blockSize - 1, 2, ...Array.from({ length: 700 }, (_, i) => i)];
  const reused = Buffer.alloc(blockSize);
  for (const [i, size] of sizes.entries()) {
    // What is given may be written over at once.
    bytes(size, i).copy(reused);
    await writer.add(`f${i}`, reused.subarray(0, size), { ...meta, mode: i % 2 === 0 ? 0o600 : 0o4755 });
  }
  expect(await writer.drain()).toEqual({ ownersNotSet: 0, setIdsDropped: 0 });
  for (const [i, size] of sizes.entries()) {
    expect(readFileSync(join(root, `f${i}`)).equals(bytes(size, i))).toBe(true);
  }
  const stat = statSync(join(root, 'f1'), { bigint: true });
  expect({ mode: stat.mode & 0o7777n, mtime: stat.mtimeNs }).toEqual({ mode: 0o4755n, mtime: meta.mtime });
  expect(readdirSync(root)).toHaveLength(sizes.length);
});

it('counts the owners that an unprivileged user cannot set', async (context) => {
  if (!isRoot) return context.skip();
  const root = temporaryFolder();
  const writer = writerIn(root, 'archive');
  const losses = await unprivilegedAsync(async () => {
    for (let i = 0; i < 300; i++) await writer.add(`f${i}`, bytes(1), { ...meta, mode: 0o4755, uid: 12_345 });
    return writer.drain();
  });
  expect(losses).toEqual({ ownersNotSet: 300, setIdsDropped: 300 });
});

it('writes neither over what is there nor through a link, and says so later', async () => {
  const outside = join(temporaryFolder(), 'outside');
  writeFileSync(outside, 'as it was');
  for (const plant of [
    (path: string) => writeFileSync(path, 'as it was'),
    (path: string) => mkdirSync(path),
    (path: string) => symlinkSync(outside, path),
  ]) {
    const root = temporaryFolder();
    plant(join(root, 'taken'));
    const writer = writerIn(root);
    await writer.add('taken', bytes(10), meta);
    await expect(writer.drain()).rejects.toMatchObject({ id: 'name-collision', path: join(root, 'taken') });
    await expect(writer.add('more', bytes(10), meta)).rejects.toMatchObject({ id: 'name-collision' });
  }
  expect(readFileSync(outside, 'utf8')).toBe('as it was');
});

it('refuses the same name twice, in one batch and in two', async () => {
  for (const between of [0, 600]) {
    const writer = writerIn(temporaryFolder());
    await writer.add('twice', bytes(10), meta);
    await writeMany(writer, between);
    await writer.add('twice', bytes(10), meta);
    await expect(writer.drain()).rejects.toMatchObject({ id: 'name-collision', exitCode: 15 });
  }
});

it('names the file, not our way to it, where its folder is gone', async () => {
  const root = temporaryFolder();
  const writer = writerIn(root);
  mkdirSync(join(root, 'gone'));
  await writer.add('gone/f', bytes(10), meta);
  rmSync(join(root, 'gone'), { recursive: true });
  const failure: unknown = await writer.drain().catch((error: unknown) => error);
  expect(failure).toMatchObject({ id: 'target-unwritable', path: join(root, 'gone/f') });
  expect((failure as Error).message).toContain('creating');
  expect((failure as Error).message).not.toContain('/proc');
});

it('ends with the exit code for a full disk', async (context) => {
  const root = tinyFileSystem(262_144);
  if (root === undefined) return context.skip();
  const writer = writerIn(root);
  const writing = async (): Promise<unknown> => {
    for (let i = 0; i < 100; i++) await writer.add(`f${i}`, bytes(50_000), meta);
    return writer.drain();
  };
  await expect(writing()).rejects.toMatchObject({ id: 'no-space', exitCode: 13 });
});

it('writes nothing any more once it is closed', async () => {
  const root = temporaryFolder();
  const writer = writerIn(root);
  await writeMany(writer, 1_000);
  await writer.close();
  const left = readdirSync(root).length;
  expect(left).toBeLessThan(1_000);
  await expect(writer.add('late', bytes(1), meta)).rejects.toThrow('closed');
  expect(existsSync(join(root, 'late'))).toBe(false);
  expect(readdirSync(root)).toHaveLength(left);
});
