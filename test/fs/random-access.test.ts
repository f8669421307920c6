import { execFileSync } from 'node:child_process';
import { chmodSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ByteSource } from '../../src/base/byte-source.js';
import { openByteSource } from '../../src/fs/random-access.js';
import { bytes } from '../helpers/tree.js';
import { isRoot, temporaryFolder, unprivilegedAsync } from '../helpers/surroundings.js';

async function sourceOf(content: Buffer): Promise<ByteSource> {
  const path = join(temporaryFolder(), 'f');
  writeFileSync(path, content);
  const source = await openByteSource(path);
  onTestFinished(() => source.close());
  return source;
}

it('gives exactly the bytes asked for, anywhere, also many at once', async () => {
  const content = bytes(300_000);
  const source = await sourceOf(content);
  expect(source.size).toBe(300_000);
  const reads = [0, 1, 299_999, 300_000].map(async (at) => source.read(at, Math.min(5, 300_000 - at)));
  expect(await Promise.all(reads)).toEqual([0, 1, 299_999, 300_000].map((at) => content.subarray(at, at + 5)));
  expect((await source.read(0, 300_000)).equals(content)).toBe(true);
});

it('calls a file damaged that ends before what is asked for, without taking memory for it', async () => {
  const source = await sourceOf(bytes(10));
  const damage = { name: 'ArchiveDamage', id: 'truncated' };
  await expect(source.read(5, 6)).rejects.toMatchObject(damage);
  await expect(source.read(0, Number.MAX_SAFE_INTEGER)).rejects.toMatchObject(damage);
  await expect(source.read(-1, 1)).rejects.toMatchObject(damage);
  truncateSync(source.name, 4);
  await expect(source.read(0, 10)).rejects.toMatchObject(damage);
});

it('says what is not there, not a file, or not to be read', async () => {
  const folder = temporaryFolder();
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  writeFileSync(join(folder, 'f'), '');
  await expect(openByteSource(join(folder, 'none'))).rejects.toMatchObject({ id: 'file-not-found', exitCode: 10 });
  await expect(openByteSource(join(folder, 'f/x'))).rejects.toMatchObject({ id: 'file-not-found' });
  await expect(openByteSource(folder)).rejects.toMatchObject({ id: 'usage' });
  await expect(openByteSource(join(folder, 'pipe'))).rejects.toMatchObject({ id: 'usage' });
  if (!isRoot) return;
  chmodSync(join(folder, 'f'), 0);
  const closed = unprivilegedAsync(() => openByteSource(join(folder, 'f')));
  await expect(closed).rejects.toMatchObject({ id: 'io-failed', path: join(folder, 'f') });
});
