import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openStable, readSmall } from '../../src/fs/read-file.js';
import type { StableFile } from '../../src/fs/stable-file.js';
import { bytes } from '../helpers/tree.js';
import { isRoot, temporaryFolder, unprivileged } from '../helpers/surroundings.js';

function fileOf(content: Buffer | string): string {
  const path = join(temporaryFolder(), 'f');
  writeFileSync(path, content);
  return path;
}

function stable(path: string): StableFile {
  const opened = openStable(path);
  if (opened.kind !== 'open') throw new Error(opened.kind);
  onTestFinished(() => opened.file.close());
  return opened.file;
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

describe('readSmall', () => {
  it('gives a file whole, with what it was when opened', () => {
    for (const size of [0, 1, 65_535, 65_536, 1024 * 1024]) {
      const path = fileOf(bytes(size));
      const { ino, dev } = lstatSync(path, { bigint: true });
      const read = readSmall(path, { ino, dev });
      expect(read).toMatchObject({ kind: 'read', changed: false, stat: { size, ino, dev } });
      expect(read.kind === 'read' && read.bytes.equals(bytes(size))).toBe(true);
    }
  });

  it('gives bytes with memory of their own, so that they can be handed to another thread', () => {
    const path = fileOf('x');
    const [a, b] = [readSmall(path), readSmall(path)];
    expect(a.kind === 'read' && b.kind === 'read' && a.bytes.buffer !== b.bytes.buffer).toBe(true);
  });

  it('says that a file is larger than what is read at once', () => {
    expect(readSmall(fileOf('12345'), undefined, { maxBytes: 4 })).toEqual({ kind: 'large' });
  });

  it('tells vanished from unreadable, and follows no link', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'secret'), 'x');
    symlinkSync('secret', join(folder, 'link'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect(readSmall(join(folder, 'none'))).toEqual({ kind: 'vanished' });
    expect(readSmall(join(folder, 'link'))).toEqual({ kind: 'vanished' });
    expect(readSmall(join(folder, 'pipe'))).toEqual({ kind: 'vanished' });
    expect(readSmall(folder)).toEqual({ kind: 'vanished' });
    chmodSync(join(folder, 'secret'), 0);
    if (!isRoot) return;
    expect(unprivileged(() => readSmall(join(folder, 'secret')))).toEqual({
      kind: 'unreadable',
      reason: 'EACCES: permission denied',
    });
  });

  it('takes a file that was written anew and renamed over the listed one', () => {
    const path = fileOf('old');
    const listed = lstatSync(path, { bigint: true });
    writeFileSync(`${path}.new`, 'new one');
    renameSync(`${path}.new`, path);
    expect(readSmall(path, listed)).toMatchObject({ kind: 'read', bytes: Buffer.from('new one'), changed: false });
  });

  it('does not take another file that is found through a link on the way', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'a'));
    mkdirSync(join(folder, 'secrets'));
    writeFileSync(join(folder, 'a/f'), 'mine');
    writeFileSync(join(folder, 'secrets/f'), 'secret');
    const listed = lstatSync(join(folder, 'a/f'), { bigint: true });
    renameSync(join(folder, 'a'), join(folder, 'b'));
    symlinkSync('secrets', join(folder, 'a'));
    expect(readSmall(join(folder, 'a/f'), listed)).toEqual({ kind: 'vanished' });
    expect(openStable(join(folder, 'a/f'), listed)).toEqual({ kind: 'vanished' });
  });

  it('says that a file without an end of its own changed', () => {
    if (process.platform !== 'linux') return;
    // Files in /proc say they are empty and give bytes: the simplest file that is longer than it says.
    expect(readSmall('/proc/self/status')).toMatchObject({ kind: 'read', bytes: Buffer.alloc(0), changed: true });
  });
});

describe('openStable', () => {
  it('gives a file in blocks, unchanged', async () => {
    for (const size of [0, 1, 9, 10, 11, 100_000]) {
      const file = stable(fileOf(bytes(size)));
      expect(file.changed()).toBe(true);
      const blocks = await collect(file.read(10));
      expect(blocks.every((block, i) => block.length === 10 || i === blocks.length - 1)).toBe(true);
      expect(Buffer.concat(blocks).equals(bytes(size))).toBe(true);
      expect(file.changed()).toBe(false);
    }
  });

  const changes: Record<string, (path: string) => void> = {
    grows: (path) => appendFileSync(path, 'more'),
    shrinks: (path) => truncateSync(path, 15),
    'is emptied': (path) => truncateSync(path, 0),
    'is written over': (path) => writeFileSync(path, Buffer.alloc(40, 'y')),
    'is written over and its time set back': (path) => {
      const { atime, mtime } = lstatSync(path);
      writeFileSync(path, Buffer.alloc(40, 'y'));
      utimesSync(path, atime, mtime);
    },
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`gives as many bytes as were declared, and says so, where the file ${what} while it is read`, async () => {
      const path = fileOf(Buffer.alloc(40, 'x'));
      utimesSync(path, 1000, 1000);
      const file = stable(path);
      const blocks: Buffer[] = [];
      for await (const block of file.read(10)) {
        if (blocks.length === 0) change(path);
        blocks.push(block);
      }
      expect(Buffer.concat(blocks)).toHaveLength(40);
      expect(file.changed()).toBe(true);
      expect(Buffer.concat(await collect(file.read(7)))).toHaveLength(40);
    });
  }

  it('fills up with zeros where the file became shorter', async () => {
    const path = fileOf(Buffer.alloc(40, 'x'));
    const file = stable(path);
    truncateSync(path, 15);
    const all = Buffer.concat(await collect(file.read(10)));
    expect(all).toEqual(Buffer.concat([Buffer.alloc(15, 'x'), Buffer.alloc(25)]));
  });

  it('goes on reading a file that vanishes, but says that it is no longer as it was', async () => {
    const path = fileOf(bytes(40));
    const file = stable(path);
    rmSync(path);
    expect(Buffer.concat(await collect(file.read(10))).equals(bytes(40))).toBe(true);
    expect(openStable(path)).toEqual({ kind: 'vanished' });
  });
});
