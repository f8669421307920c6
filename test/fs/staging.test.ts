import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { entryPoint } from '../../src/base/entry-point.js';
import { createStaging, removeDeadStaging } from '../../src/fs/staging.js';
import { writeTree } from '../helpers/tree.js';
import { isRoot, temporaryFolder, unprivilegedAsync } from '../helpers/surroundings.js';

it('is private, and leaves nothing when closed', async () => {
  const folder = temporaryFolder();
  const staging = await createStaging(folder, '20251030T120000Z-daily', systemClock);
  expect(staging.path).toBe(join(folder, '.20251030T120000Z-daily.staging'));
  expect(statSync(staging.path).mode & 0o7777).toBe(0o700);
  await writeTree(staging.path, { a: { b: { f: 'x' } } });
  chmodSync(join(staging.path, 'a/b'), 0o555);
  await staging.close();
  await staging.close();
  expect(readdirSync(folder)).toEqual([]);
});

it('is not taken from a living process, here or in another', async () => {
  const folder = temporaryFolder();
  const staging = await createStaging(folder, 'x', systemClock);
  await expect(createStaging(folder, 'x', systemClock)).rejects.toMatchObject({ id: 'lock-held' });
  expect(await removeDeadStaging(folder, systemClock)).toEqual({ removed: [], failures: [] });
  expect(readdirSync(folder)).toEqual(['.x.staging', '.x.staging.lock']);
  await staging.close();
});

it('is removed when its process was killed, by the next run or by the next that wants the name', async () => {
  const folder = temporaryFolder();
  for (const name of ['a', 'b']) {
    mkdirSync(join(folder, `.${name}.staging/deep`), { recursive: true });
    await killWhileHolding(join(folder, `.${name}.staging.lock`));
  }
  const staging = await createStaging(folder, 'a', systemClock);
  expect(readdirSync(staging.path)).toEqual([]);
  expect(await removeDeadStaging(folder, systemClock)).toEqual({ removed: [join(folder, '.b.staging')], failures: [] });
  expect(readdirSync(folder)).toEqual(['.a.staging', '.a.staging.lock']);
  await staging.close();
});

it('is removed where it is only half there', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, '.folder.staging'));
  writeFileSync(join(folder, '.lock.staging.lock'), '');
  writeFileSync(join(folder, 'kept.staging'), '');
  await removeDeadStaging(folder, systemClock);
  expect(readdirSync(folder)).toEqual(['kept.staging']);
  expect(await removeDeadStaging(join(folder, 'none'), systemClock)).toEqual({ removed: [], failures: [] });
});

it.runIf(isRoot)('is left alone where it belongs to another user', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, '.root.staging'));
  await unprivilegedAsync(() => removeDeadStaging(folder, systemClock));
  expect(readdirSync(folder)).toEqual(['.root.staging']);
});

it('tells what could not be removed instead of failing', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, '.bad.staging'));
  mkdirSync(join(folder, '.good.staging'));
  writeFileSync(join(folder, '.bad.staging.lock'), 'not a lock'.repeat(200));
  const swept = await removeDeadStaging(folder, systemClock);
  expect(swept.removed).toEqual([join(folder, '.good.staging')]);
  expect(swept.failures).toMatchObject([{ id: 'io-failed', path: join(folder, '.bad.staging.lock') }]);
});

async function killWhileHolding(file: string): Promise<void> {
  const script = fileURLToPath(new URL('holding-lock.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, entryPoint('fs/lock.js'), file, 'x'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
}
