import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { finalNames, isPartialName, PartialFile, partialPath, writeFileDurably } from '../../src/fs/partial-file.js';
import { bytes } from '../helpers/tree.js';
import { isRoot, temporaryFolder, tinyFileSystem, unprivilegedAsync } from '../helpers/surroundings.js';

async function partialOf(folder: string, content: Buffer): Promise<PartialFile> {
  const partial = await PartialFile.create(partialPath(join(folder, 'x.zip')));
  await partial.write(content);
  return partial;
}

describe('PartialFile', () => {
  it('lies aside, private, until it is whole and gets its name', async () => {
    const folder = temporaryFolder();
    const partial = await partialOf(folder, bytes(100_000));
    await partial.write(bytes(10));
    expect(readdirSync(folder)).toEqual(['.x.zip.partial']);
    expect(statSync(partial.path).mode & 0o7777).toBe(0o600);
    await partial.sync();
    await partial.publish(join(folder, 'x.zip'), { overwrite: false });
    await partial.discard();
    expect(readdirSync(folder)).toEqual(['x.zip']);
    expect(readFileSync(join(folder, 'x.zip'))).toEqual(Buffer.concat([bytes(100_000), bytes(10)]));
  });

  it('takes back what is cut off, and goes on from there', async () => {
    const folder = temporaryFolder();
    const partial = await partialOf(folder, Buffer.from('0123456789'));
    await partial.truncate(4);
    await partial.write(Buffer.from('xy'));
    expect(partial.size).toBe(6);
    await expect(partial.truncate(7)).rejects.toThrow(RangeError);
    await partial.publish(join(folder, 'x.zip'), { overwrite: false });
    expect(readFileSync(join(folder, 'x.zip'), 'utf8')).toBe('0123xy');
  });

  it('never replaces a file unless it is asked to', async () => {
    const folder = temporaryFolder();
    const final = join(folder, 'x.zip');
    writeFileSync(final, 'old');
    const partial = await partialOf(folder, Buffer.from('new'));
    const refused = partial.publish(final, { overwrite: false });
    await expect(refused).rejects.toMatchObject({ id: 'output-exists', exitCode: 15, path: final });
    expect(readFileSync(final, 'utf8')).toBe('old');
    await partial.publish(final, { overwrite: true });
    expect(readFileSync(final, 'utf8')).toBe('new');
    expect(readdirSync(folder)).toEqual(['x.zip']);
  });

  it('leaves nothing when discarded, once or twice', async () => {
    const folder = temporaryFolder();
    const partial = await partialOf(folder, Buffer.from('new'));
    await partial.discard();
    await partial.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says that another run may be writing where one is there', async () => {
    const folder = temporaryFolder();
    const partial = await partialOf(folder, Buffer.from('one'));
    await expect(PartialFile.create(partial.path)).rejects.toMatchObject({ id: 'output-exists', path: partial.path });
    await partial.discard();
  });

  it.runIf(isRoot)('says where it cannot be written', async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o755);
    const path = partialPath(join(folder, 'x.zip'));
    const created = unprivilegedAsync(() => PartialFile.create(path));
    await expect(created).rejects.toMatchObject({ id: 'output-unwritable', exitCode: 1, path });
  });

  it('ends with the exit code for a full disk, and leaves nothing there', async (context) => {
    const folder = tinyFileSystem(65_536);
    if (folder === undefined) return context.skip();
    const partial = await partialOf(folder, bytes(10_000));
    await expect(partial.write(bytes(1_000_000))).rejects.toMatchObject({ id: 'no-space', exitCode: 13 });
    await partial.discard();
    expect(readdirSync(folder)).toEqual([]);
    const side = writeFileDurably(join(folder, 'side'), bytes(1_000_000), 0o600);
    await expect(side).rejects.toMatchObject({ id: 'no-space' });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('writeFileDurably', () => {
  it('replaces a file as a whole, with its mode', async () => {
    const path = join(temporaryFolder(), 'x.sha256');
    await writeFileDurably(path, Buffer.from('one'), 0o644);
    await writeFileDurably(path, Buffer.alloc(0), 0o600);
    expect(readFileSync(path, 'utf8')).toBe('');
    expect(statSync(path).mode & 0o7777).toBe(0o600);
  });

  it('leaves what is there alone where it may not replace it', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'x.sha256');
    await writeFileDurably(path, Buffer.from('one'), 0o600, { overwrite: false });
    const second = writeFileDurably(path, Buffer.from('two'), 0o600, { overwrite: false });
    await expect(second).rejects.toMatchObject({ id: 'output-exists' });
    expect(readFileSync(path, 'utf8')).toBe('one');
    expect(readdirSync(folder)).toEqual(['x.sha256']);
    expect(existsSync(partialPath(path))).toBe(false);
  });
});

it('tells partial files by their names', () => {
  expect(['.x.zip.partial', 'x.partial', '.partial.zip'].map(isPartialName)).toEqual([true, false, false]);
});

it('tells by its name which file it was to become', () => {
  expect(finalNames('.x.zip.partial')).toEqual(['x.zip']);
  expect(finalNames('.x.sha256.0123abcd.partial')).toEqual(['x.sha256.0123abcd', 'x.sha256']);
  expect(finalNames('x.partial')).toEqual([]);
});
