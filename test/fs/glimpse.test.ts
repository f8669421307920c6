import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { glance } from '../../src/fs/glimpse.js';
import { PromptDisk } from '../../src/fs/prompt-disk.js';
import { isRoot, temporaryFolder } from '../helpers/surroundings.js';
import { bytes } from '../helpers/tree.js';

const disk = new PromptDisk();
const always = (): string => 'looked';

function fileOf(content: Uint8Array): string {
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, content);
  return path;
}

describe('a glance at a file', () => {
  it('gives its size and bytes of it anywhere, small and large', () => {
    const content = bytes(200_000);
    const found = glance(fileOf(content), disk, ({ size, read }) => {
      const pieces = [read(0, 4), read(199_990, 10), read(1000, 30_000), read(50_000, 100_000), read(7, 3)];
      return { size, pieces: pieces.map((piece) => Buffer.from(piece)) };
    });
    const wanted = [content.subarray(0, 4), content.subarray(199_990), content.subarray(1000, 31_000)];
    expect(found?.size).toBe(200_000);
    expect(found?.pieces).toEqual([...wanted, content.subarray(50_000, 150_000), content.subarray(7, 10)]);
  });

  it('throws where the file ends before, whatever was in that memory', () => {
    const path = fileOf(bytes(100));
    expect(() => glance(path, disk, ({ read }) => read(90, 11))).toThrow(RangeError);
    expect(() => glance(path, disk, ({ read }) => read(100, 1))).toThrow(RangeError);
    expect(() => glance(path, disk, ({ read }) => read(50, -10))).toThrow(RangeError);
  });

  it('finds nothing where there is no regular file, and waits for no pipe', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'sub'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    symlinkSync('nowhere', join(folder, 'link'));
    for (const name of ['sub', 'pipe', 'link', 'absent', 'sub/absent']) {
      expect(glance(join(folder, name), disk, always)).toBeUndefined();
    }
    if (!isRoot) return;
    expect(glance(fileOf(bytes(1)), disk, always)).toBe('looked');
  });
});
