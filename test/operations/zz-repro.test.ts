import { rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'vitest';
import { restoreOver } from '../helpers/in-place.js';
import { create, directory, instance } from '../helpers/instance.js';
it('excluded below folder, file in backup', async () => {
  const made = await instance({ uploads: { a: 'first' } }, [directory('uploads', { exclude: ['**/*.tmp'] })]);
  const { file } = await create(made);
  rmSync(join(made.root, 'uploads/a'));
  mkdirSync(join(made.root, 'uploads/a'));
  writeFileSync(join(made.root, 'uploads/a/x.tmp'), 'x');
  console.log(await restoreOver(made, file));
});
it.each([true, false])('file where the backup has a folder, compare %s', async (compare) => {
  const made = await instance({ uploads: { a: { b: 'first' } } }, [directory('uploads')]);
  const { file } = await create(made);
  rmSync(join(made.root, 'uploads/a'), { recursive: true });
  writeFileSync(join(made.root, 'uploads/a'), 'x');
  await restoreOver(made, file, { compare });
});
