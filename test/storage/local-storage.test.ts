import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { LocalStorage } from '../../src/storage/local-storage.js';
import { bytes } from '../helpers/tree.js';
import { isRoot, temporaryFolder, unprivilegedAsync } from '../helpers/surroundings.js';

const name = '20251030T120000Z-daily.zip';

function emptyStorage(): LocalStorage {
  return new LocalStorage(join(temporaryFolder(), 'var/backups'));
}

describe('writing', () => {
  it('makes a private folder, and shows an archive once it is whole', async () => {
    const storage = emptyStorage();
    const partial = await storage.createPartial(name);
    await partial.write(bytes(1000));
    await partial.sync();
    expect(statSync(storage.folder).mode & 0o7777).toBe(0o700);
    expect(await storage.list()).toEqual([]);
    const source = await partial.open();
    expect((await source.read(10, 20)).equals(bytes(1000).subarray(10, 30))).toBe(true);
    await source.close();
    await partial.publish();
    await partial.discard();
    expect(await storage.list()).toMatchObject([{ name, bytes: 1000 }]);
    expect(await storage.stat(name)).toMatchObject({ name, bytes: 1000 });
    expect(statSync(join(storage.folder, name)).mode & 0o7777).toBe(0o600);
    const stored = await storage.open(name);
    expect((await stored.read(0, 1000)).equals(bytes(1000))).toBe(true);
    await stored.close();
  });

  it('never replaces an archive', async () => {
    const storage = emptyStorage();
    await storage.prepare();
    writeFileSync(join(storage.folder, name), 'old');
    const partial = await storage.createPartial(name);
    await expect(partial.publish()).rejects.toMatchObject({ id: 'output-exists' });
    await partial.discard();
    expect(readdirSync(storage.folder)).toEqual([name]);
    expect(readFileSync(join(storage.folder, name), 'utf8')).toBe('old');
  });

  it('is looked into at a glance, and shows nothing of what is not there', async () => {
    const storage = emptyStorage();
    const looked = (): number | undefined => storage.glance(name, ({ size, read }) => size + (read(3, 1)[0] ?? 0));
    expect(looked()).toBeUndefined();
    await storage.prepare();
    writeFileSync(join(storage.folder, name), Buffer.from([0, 0, 0, 7]));
    expect(looked()).toBe(11);
    expect(() => storage.glance('../outside', () => 1)).toThrow(RangeError);
  });

  it('writes, replaces, reads and removes side files', async () => {
    const storage = emptyStorage();
    await storage.writeSide(`${name}.sha256`, Buffer.from('one'));
    await storage.writeSide(`${name}.sha256`, Buffer.from('two'));
    expect(await storage.readSide(`${name}.sha256`, 3)).toEqual(Buffer.from('two'));
    await expect(storage.readSide(`${name}.sha256`, 2)).rejects.toMatchObject({ id: 'archive-damaged' });
    expect(await storage.readSide(`${name}.locked`, 2)).toBeUndefined();
    await storage.remove(`${name}.sha256`);
    await storage.remove(`${name}.sha256`);
    expect(readdirSync(storage.folder)).toEqual([]);
  });

  it.runIf(isRoot)('says which settings help where the folder cannot be written to', async () => {
    const outer = temporaryFolder();
    const storage = new LocalStorage(join(outer, 'backups'));
    mkdirSync(storage.folder, { mode: 0o755 });
    const unwritable = {
      id: 'storage-unwritable',
      exitCode: 1,
      hint: expect.stringContaining('BKP_STORAGE') as string,
    };
    await unprivilegedAsync(async () => {
      await expect(storage.createPartial(name)).rejects.toMatchObject(unwritable);
      await expect(storage.writeSide(name, bytes(1))).rejects.toMatchObject(unwritable);
      await expect(storage.lock({ holder: 'test', wait: 0, clock: systemClock })).rejects.toMatchObject(unwritable);
      expect(await storage.list()).toEqual([]);
    });
    writeFileSync(join(outer, 'file'), '');
    await expect(new LocalStorage(join(outer, 'file')).prepare()).rejects.toMatchObject(unwritable);
  });
});

describe('reading', () => {
  it('lists regular files only, without those that begin with a dot', async () => {
    const storage = emptyStorage();
    await storage.prepare();
    for (const file of ['b.zip', 'a.zip', '.bkp.lock', '.c.zip.partial'])
      writeFileSync(join(storage.folder, file), 'x');
    mkdirSync(join(storage.folder, 'folder'));
    symlinkSync('a.zip', join(storage.folder, 'link'));
    expect((await storage.list()).map((file) => file.name)).toEqual(['a.zip', 'b.zip']);
    expect(await storage.stat('folder')).toBeUndefined();
  });

  it('tells a missing storage from a missing file, and makes neither', async () => {
    const storage = emptyStorage();
    const missing = { id: 'storage-not-found', exitCode: 10 };
    await expect(storage.list()).rejects.toMatchObject(missing);
    await expect(storage.open(name)).rejects.toMatchObject(missing);
    await expect(storage.removeDeadPartials(() => true)).rejects.toMatchObject(missing);
    expect(await storage.stat(name)).toBeUndefined();
    await storage.prepare();
    await expect(storage.open(name)).rejects.toMatchObject({ id: 'file-not-found', exitCode: 10 });
  });

  it.runIf(isRoot)('says that it may not look into a folder', async () => {
    const storage = emptyStorage();
    await storage.prepare();
    await unprivilegedAsync(async () => {
      await expect(storage.list()).rejects.toMatchObject({ id: 'io-failed', path: storage.folder });
    });
  });
});

it('takes nothing for a name that is not one in the folder', async () => {
  const storage = emptyStorage();
  for (const bad of ['', '.', '..', '../x', 'a/b', '/x', '.hidden', 'nul\0', 'x'.repeat(256)]) {
    await expect(storage.stat(bad)).rejects.toThrow(RangeError);
    await expect(storage.open(bad)).rejects.toThrow(RangeError);
    await expect(storage.remove(bad)).rejects.toThrow(RangeError);
    await expect(storage.createPartial(bad)).rejects.toThrow(RangeError);
    await expect(storage.writeSide(bad, bytes(1))).rejects.toThrow(RangeError);
  }
});

it('removes what killed runs were writing, and nothing else', async () => {
  const storage = emptyStorage();
  await storage.prepare();
  const ours = [`.${name}.partial`, `.${name}.sha256.01234567.partial`, '.probe.01234567.partial'];
  const others = [name, 'x.partial', '.hidden', '.rsync-thing.partial', '.probe.partial', `.${name}.0123456.partial`];
  for (const file of [...ours, ...others]) writeFileSync(join(storage.folder, file), 'x');
  mkdirSync(join(storage.folder, '.folder.partial'));
  const lock = await storage.lock({ holder: 'create', wait: 0, clock: systemClock });
  const isOwn = (file: string): boolean => file === name || file === `${name}.sha256`;
  expect(await storage.removeDeadPartials(isOwn)).toEqual(ours);
  lock.release();
  expect(readdirSync(storage.folder)).toEqual(['.bkp.lock', '.folder.partial', ...others].sort());
});

it('is locked by one run at a time', async () => {
  const storage = emptyStorage();
  const lock = await storage.lock({ holder: 'create', wait: 0, clock: systemClock });
  const second = storage.lock({ holder: 'prune', wait: 0, clock: systemClock });
  await expect(second).rejects.toMatchObject({ id: 'lock-held', message: expect.stringContaining('create') as string });
  lock.release();
  (await storage.lock({ holder: 'prune', wait: 0, clock: systemClock })).release();
  chmodSync(storage.folder, 0o700);
});
