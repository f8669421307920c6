import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freeSpace, sharingDevice } from '../../src/system/free-space.js';
import { temporaryFolder, tinyFileSystem } from '../helpers/surroundings.js';

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

it('what shares a device is lost together', (context) => {
  const disk = temporaryFolder();
  const other = tinyFileSystem(1024 * 1024);
  if (other === undefined) return context.skip();
  const [data, far] = [join(disk, 'data'), join(other, 'data')];
  for (const path of [data, far]) mkdirSync(path);
  const paths = [data, far, join(disk, 'missing')];
  expect(sharingDevice(join(disk, 'not/there/yet'), paths)).toEqual([data]);
  expect(sharingDevice(join(other, 'backups'), paths)).toEqual([far]);
});
