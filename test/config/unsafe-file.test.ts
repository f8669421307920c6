import { chmod, chown, lchown, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { failureOf, load, writeSite } from './sites.js';

const isRoot = process.geteuid?.() === 0;
const somebodyElse = 65534;

it.each([0o620, 0o602, 0o666, 0o664])('refuses a file of mode %o, and says how to mend it', async (mode) => {
  const site = await writeSite({ '.backuprc': 'level: 3' });
  const file = join(site, '.backuprc');
  await chmod(file, mode);
  const failure = await failureOf(load(site));
  expect(failure).toMatchObject({ id: 'config-unsafe', exitCode: 2, path: file });
  expect(failure.message).toContain(`mode 0${mode.toString(8)}`);
  expect(failure.hint).toContain(`chmod go-w ${file}`);
  expect((await load(site, { allowUnsafeConfig: true })).level).toBe(3);
});

it.each([0o600, 0o644, 0o640, 0o444])('reads a file of mode %o', async (mode) => {
  const site = await writeSite({ '.backuprc': 'level: 3' });
  await chmod(join(site, '.backuprc'), mode);
  expect((await load(site)).level).toBe(3);
});

it('refuses before it parses', async () => {
  const site = await writeSite({ '.backuprc': 'level: [', 'p/package.json': '{"backup": {' });
  await chmod(join(site, '.backuprc'), 0o666);
  await chmod(join(site, 'p/package.json'), 0o666);
  expect((await failureOf(load(site))).id).toBe('config-unsafe');
  expect((await failureOf(load(join(site, 'p')))).id).toBe('config-unsafe');
  expect((await failureOf(load(site, { allowUnsafeConfig: true }))).id).toBe('config-invalid');
});

it('refuses a named file too', async () => {
  const site = await writeSite({ 'site.yaml': 'level: 3' });
  await chmod(join(site, 'site.yaml'), 0o666);
  expect((await failureOf(load(site, { config: 'site.yaml' }))).id).toBe('config-unsafe');
  expect((await failureOf(load(site, {}, { BKP_CONFIG: 'site.yaml' }))).id).toBe('config-unsafe');
});

it('does not mind a package.json that others may write, unless it holds a configuration', async () => {
  const site = await writeSite({
    '.backuprc': 'level: 3',
    'a/package.json': '{"scripts": {"backup": "bkp create"}}',
    'b/package.json': '{"backup": {"level": 4}}',
  });
  await chmod(join(site, 'a/package.json'), 0o664);
  await chmod(join(site, 'b/package.json'), 0o664);
  expect((await load(join(site, 'a'))).level).toBe(3);
  expect((await failureOf(load(join(site, 'b')))).id).toBe('config-unsafe');
  expect((await load(join(site, 'b'), { allowUnsafeConfig: true })).level).toBe(4);
});

it.skipIf(!isRoot)('refuses a file that belongs to somebody else', async () => {
  const site = await writeSite({ '.backuprc': 'level: 3' });
  const file = join(site, '.backuprc');
  await chown(file, somebodyElse, somebodyElse);
  const failure = await failureOf(load(site));
  expect(failure.id).toBe('config-unsafe');
  expect(failure.message).toContain(`belongs to user ${somebodyElse}`);
  expect(failure.hint).toContain(`chown 0 ${file}`);
  expect((await load(site, { allowUnsafeConfig: true })).level).toBe(3);
});

it.skipIf(!isRoot)('refuses a link that somebody else placed, even to a safe file', async () => {
  const site = await writeSite({ safe: 'level: 3' });
  const link = join(site, '.backuprc');
  await symlink('safe', link);
  expect((await load(site)).level).toBe(3);
  await lchown(link, somebodyElse, somebodyElse);
  expect((await failureOf(load(site))).id).toBe('config-unsafe');
});

it.skipIf(!isRoot)('reads the files of root and of its own user, and refuses all others, as another user', async () => {
  const site = await writeSite({
    'own/.backuprc': 'level: 1',
    'root/.backuprc': 'level: 2',
    'other/.backuprc': 'level: 3',
  });
  await chmod(site, 0o755);
  await chown(join(site, 'own/.backuprc'), somebodyElse, somebodyElse);
  await chmod(join(site, 'root/.backuprc'), 0o644);
  await chmod(join(site, 'other/.backuprc'), 0o644);
  await chown(join(site, 'other/.backuprc'), 1234, 1234);
  // Loaded once before: an unprivileged user may not be able to read the modules.
  await load(join(site, 'root'));
  process.seteuid?.(somebodyElse);
  try {
    expect((await load(join(site, 'own'))).level).toBe(1);
    expect((await load(join(site, 'root'))).level).toBe(2);
    expect((await failureOf(load(join(site, 'other')))).id).toBe('config-unsafe');
  } finally {
    process.seteuid?.(0);
  }
});
