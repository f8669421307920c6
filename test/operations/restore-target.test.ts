import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { create, directory, failure, instance, newTarget, restore } from '../helpers/instance.js';

it('tells a folder that a killed restore was filling from one that is merely not empty', async () => {
  const { file } = await create(await instance({ data: { f: 'x' } }, [directory('data')]));
  const target = newTarget();
  mkdirSync(join(target, '.bkp-restore.staging/tree'), { recursive: true });
  writeFileSync(join(target, '.bkp-restore.staging.lock'), '');
  mkdirSync(join(target, 'data'));
  const error = await failure(restore(file, target));
  expect([error.id, error.exitCode]).toEqual(['target-not-empty', 15]);
  expect(error.message).toContain('a restore into it was killed');
  expect(error.hint).toContain('.bkp-restore.staging');
  expect(readdirSync(target).sort()).toEqual(['.bkp-restore.staging', '.bkp-restore.staging.lock', 'data']);
});

it('takes over a folder that a restore was killed in before it filled it', async () => {
  const { file } = await create(await instance({ data: { f: 'x' } }, [directory('data')]));
  const target = newTarget();
  mkdirSync(join(target, '.bkp-restore.staging/tree'), { recursive: true });
  writeFileSync(join(target, '.bkp-restore.staging.lock'), '');
  await restore(file, target);
  expect(readdirSync(target)).toEqual(['data']);
});

it("builds in nobody else's folder, whatever its name", async () => {
  const { file } = await create(await instance({ data: { f: 'x' } }, [directory('data')]));
  const target = newTarget();
  const foreign = join(target, '../.restored.staging');
  mkdirSync(foreign, { recursive: true });
  writeFileSync(join(foreign, 'f'), 'precious');
  expect((await failure(restore(file, target))).id).toBe('output-exists');
  expect(readdirSync(foreign)).toEqual(['f']);
});
