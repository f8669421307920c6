import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished, vi } from 'vitest';
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
  expect(await removeDeadStaging(folder, systemClock, '')).toEqual({ removed: [], failures: [] });
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
  expect(await removeDeadStaging(folder, systemClock, '')).toEqual({
    removed: [join(folder, '.b.staging')],
    failures: [],
  });
  expect(readdirSync(folder)).toEqual(['.a.staging', '.a.staging.lock']);
  await staging.close();
});

it('is removed where only its lock is left', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, '.lock.staging.lock'), '');
  writeFileSync(join(folder, 'kept.staging'), '');
  await removeDeadStaging(folder, systemClock, '');
  expect(readdirSync(folder)).toEqual(['kept.staging']);
  expect(await removeDeadStaging(join(folder, 'none'), systemClock, '')).toEqual({ removed: [], failures: [] });
});

it.runIf(isRoot)('is left alone where it belongs to another user', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, '.root.staging'));
  writeFileSync(join(folder, '.root.staging.lock'), '');
  await unprivilegedAsync(() => removeDeadStaging(folder, systemClock, ''));
  expect(readdirSync(folder)).toEqual(['.root.staging', '.root.staging.lock']);
});

it('tells what could not be removed instead of failing', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, '.bad.staging'));
  mkdirSync(join(folder, '.good.staging'));
  writeFileSync(join(folder, '.good.staging.lock'), '');
  writeFileSync(join(folder, '.bad.staging.lock'), 'not a lock'.repeat(200));
  const swept = await removeDeadStaging(folder, systemClock, '');
  expect(swept.removed).toEqual([join(folder, '.good.staging')]);
  expect(swept.failures).toMatchObject([{ id: 'io-failed', path: join(folder, '.bad.staging.lock') }]);
});

it("is never the user's folder of that name, which has no lock beside it", async () => {
  const folder = temporaryFolder();
  await writeTree(folder, { '.mine.staging': { f: 'precious' }, '.mine.partial': 'precious' });
  const before = ['.mine.partial', '.mine.staging'];
  await expect(createStaging(folder, 'mine', systemClock)).rejects.toMatchObject({
    id: 'output-exists',
    path: join(folder, '.mine.staging'),
  });
  await expect(createStaging(folder, 'other', systemClock, [join(folder, '.mine.partial')])).rejects.toMatchObject({
    id: 'output-exists',
    path: join(folder, '.mine.partial'),
  });
  expect(await removeDeadStaging(folder, systemClock, '')).toEqual({ removed: [], failures: [] });
  expect(readdirSync(folder).sort()).toEqual(before);
  expect(readFileSync(join(folder, '.mine.staging/f'), 'utf8')).toBe('precious');
});

it('removes the files that belong to it only after a dead run', async () => {
  const folder = temporaryFolder();
  await killWhileHolding(join(folder, '.a.staging.lock'));
  writeFileSync(join(folder, '.a.partial'), 'torn');
  const staging = await createStaging(folder, 'a', systemClock, [join(folder, '.a.partial')]);
  expect(readdirSync(folder)).toEqual(['.a.staging', '.a.staging.lock']);
  await staging.close();
});

it('is swept only under the names that are asked for', async () => {
  const folder = temporaryFolder();
  for (const name of ['.bkp-a.staging.lock', '.other.staging.lock']) writeFileSync(join(folder, name), '');
  const isOther = (name: string): boolean => name === 'other';
  expect((await removeDeadStaging(folder, systemClock, isOther)).removed).toEqual([join(folder, '.other.staging')]);
  expect((await removeDeadStaging(folder, systemClock, 'bkp-')).removed).toEqual([join(folder, '.bkp-a.staging')]);
});

it('names a folder it cannot be made in, and TMPDIR where that is the one', async () => {
  const none = join(temporaryFolder(), 'none');
  const error = await createStaging(none, 'x', systemClock).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ id: 'io-failed', path: none, message: expect.stringContaining('ENOENT') as string });
  vi.stubEnv('TMPDIR', none);
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(createStaging(none, 'x', systemClock)).rejects.toMatchObject({
    hint: expect.stringContaining('TMPDIR') as string,
  });
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
