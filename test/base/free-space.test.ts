import { statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freeSpace, isOutOfInodes } from '../../src/base/free-space.js';
import { tinyFileSystem } from '../helpers/surroundings.js';

it('free space is that of the file system a path lies on, or will lie on', (context) => {
  const folder = tinyFileSystem(1024 * 1024);
  if (folder === undefined) return context.skip();
  expect(freeSpace(folder)).toBe(1024 * 1024);
  writeFileSync(join(folder, 'file'), Buffer.alloc(256 * 1024));
  for (const path of ['file', 'not/there/yet', 'file/below']) expect(freeSpace(join(folder, path))).toBe(768 * 1024);
});

it('free space is unknown where the file system does not tell', (context) => {
  if (statfsSync('/proc').blocks !== 0) return context.skip();
  expect(freeSpace('/proc/self')).toBeUndefined();
});

it('is out of inodes where no file can be made, and only there', (context) => {
  const folder = tinyFileSystem(1024 * 1024, 8);
  if (folder === undefined) return context.skip();
  expect(isOutOfInodes(join(folder, 'not/there/yet'))).toBe(false);
  const left = statfsSync(folder).ffree;
  for (let n = 0; n < left; n += 1) writeFileSync(join(folder, String(n)), '');
  expect(isOutOfInodes(join(folder, 'more'))).toBe(true);
  expect(freeSpace(folder)).toBeGreaterThan(0);
});
