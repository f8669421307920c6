import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sharingDevice } from '../../src/system/free-space.js';
import { temporaryFolder, tinyFileSystem } from '../helpers/surroundings.js';

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
