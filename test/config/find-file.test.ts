import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { failureOf, load, sourceNamed, writeSite } from './sites.js';
import { unprivilegedAsync } from '../helpers/surroundings.js';

describe('finding the configuration', () => {
  it.each([
    ['.backuprc', 'level: 3'],
    ['.backuprc', '{\n\t"level": 3\n}'],
    ['.backuprc.yaml', 'level: 3'],
    ['.backuprc.yml', 'level: 3'],
    ['.backuprc.json', '{"level": 3}'],
    ['package.json', '{"name": "site", "scripts": {"backup": "bkp"}, "backup": {"level": 3}}'],
  ])('reads %s', async (name, text) => {
    const site = await writeSite({ [name]: text });
    expect(await load(site)).toMatchObject({ level: 3, root: site, configFile: join(site, name) });
  });

  it('walks upward to the nearest', async () => {
    const site = await writeSite({ '.backuprc': 'level: 1', 'a/.backuprc.json': '{"level": 2}', 'a/b/c/': '' });
    expect(await load(join(site, 'a/b/c'))).toMatchObject({ level: 2, root: join(site, 'a') });
  });

  it('passes over a package.json without the key', async () => {
    const site = await writeSite({
      '.backuprc': 'level: 1',
      'a/package.json': '{"scripts": {"backup": "bkp create"}}',
    });
    expect((await load(join(site, 'a'))).root).toBe(site);
  });

  it('looks in a package.json only where there is no file of its own', async () => {
    const site = await writeSite({ '.backuprc': 'level: 1', 'package.json': '{"backup": {"level": 2}}' });
    expect((await load(site)).level).toBe(1);
  });

  it('searches only the root where one is given', async () => {
    const site = await writeSite({ '.backuprc': 'level: 1', 'a/': '' });
    const config = await load(site, { root: 'a' });
    expect(config).toMatchObject({ level: 3, configFile: undefined, root: join(site, 'a') });
    expect(await load(site, {}, { BKP_ROOT: 'a' })).toMatchObject({ configFile: undefined });
  });

  it('takes a named one, whatever its name, and does not search', async () => {
    const site = await writeSite({
      '.backuprc': 'level: 1',
      'etc/site.conf': 'level: 2',
      'etc/site.json': '{"level": 3}',
    });
    expect(await load(site, { config: 'etc/site.conf' })).toMatchObject({ level: 2, root: join(site, 'etc') });
    expect(await load(site, {}, { BKP_CONFIG: 'etc/site.json' })).toMatchObject({ level: 3 });
    expect(await load(site, { config: 'etc/site.conf' }, { BKP_CONFIG: 'no' })).toMatchObject({ level: 2 });
  });

  it('says so where a named one is not there, or has no key', async () => {
    const site = await writeSite({ 'package.json': '{"name": "x"}' });
    expect(await failureOf(load(site, { config: 'no.yaml' }))).toMatchObject({ id: 'config-not-found', exitCode: 2 });
    expect(await failureOf(load(site, { config: 'package.json' }))).toMatchObject({ id: 'config-not-found' });
  });

  it('refuses two in one folder', async () => {
    const site = await writeSite({ '.backuprc': 'level: 1', '.backuprc.yml': 'level: 2' });
    const failure = await failureOf(load(site));
    expect(failure.id).toBe('config-invalid');
    expect(failure.message).toContain(join(site, '.backuprc.yml'));
  });

  it('follows a link, and takes the folder of the link as the root', async () => {
    const site = await writeSite({ 'dotfiles/backup': 'level: 3', 'app/': '' });
    await symlink('../dotfiles/backup', join(site, 'app/.backuprc'));
    expect(await load(join(site, 'app'))).toMatchObject({ level: 3, root: join(site, 'app') });
  });
});

describe('a configuration that cannot be read', () => {
  it.each([
    ['.backuprc', '', 'is empty'],
    ['.backuprc', '# nothing but a comment\n', 'is empty'],
    ['.backuprc.json', ' \n', 'is empty'],
    ['.backuprc', '---\n', 'is empty'],
    ['.backuprc', 'level: [', 'is not valid YAML: unexpected end of the stream within a flow collection (2:1)'],
    ['.backuprc', 'level: 1\nlevel: 2', 'is not valid YAML: duplicated mapping key (2:1)'],
    ['.backuprc.json', '{"level": 1', 'is not valid JSON: '],
    ['package.json', '{"backup": {', 'is not valid JSON: '],
    ['.backuprc', 'a: !!js/function "function () {}"', 'is not valid YAML: unknown'],
    ['.backuprc', 'a: 1\n---\nb: 2', 'is not valid YAML: expected a single document'],
  ])('is a fault: %s holding %j', async (name, text, says) => {
    const site = await writeSite({ [name]: text });
    const failure = await failureOf(load(site));
    expect(failure.id).toBe('config-invalid');
    expect(failure.message).toContain(join(site, name));
    expect(failure.message).toContain(says);
  });

  it('is a fault where it is a folder, a link to nothing, or not UTF-8', async () => {
    const folder = await writeSite({ '.backuprc/': '' });
    expect((await failureOf(load(folder))).message).toContain('is not a regular file');
    const link = await writeSite();
    await symlink('nowhere', join(link, '.backuprc'));
    expect(await failureOf(load(link))).toMatchObject({ id: 'config-not-found', exitCode: 2 });
    const bytes = await writeSite();
    const { writeFile } = await import('node:fs/promises');
    await writeFile(join(bytes, '.backuprc'), Buffer.from([0x61, 0x3a, 0x20, 0xff]), { mode: 0o600 });
    expect((await failureOf(load(bytes))).message).toContain('is not UTF-8');
  });

  it('is a fault where its permissions forbid it', async () => {
    const { chmod } = await import('node:fs/promises');
    const site = await writeSite({ '.backuprc': 'level: 1' });
    await chmod(site, 0o755);
    await chmod(join(site, '.backuprc'), 0o000);
    const failure = await unprivilegedAsync(() => failureOf(load(site)));
    expect(failure.message).toContain('cannot be read');
  });

  it('is never a program', async () => {
    const site = await writeSite({ 'backup.js': 'globalThis.ran = true', 'backup.ts': 'globalThis.ran = true' });
    for (const config of ['backup.js', 'backup.ts']) {
      expect((await failureOf(load(site, { config }))).message).toContain('cannot be a program');
    }
    expect(globalThis).not.toHaveProperty('ran');
  });
});

describe('the keys of a prototype in YAML', () => {
  it.each([
    '__proto__: {level: 1}',
    '"__proto__": {level: 1}',
    '<<: {__proto__: {level: 1}}',
    'constructor: {prototype: {level: 1}}',
    'sources: {__proto__: {type: sqlite, path: x}}',
    'sources: {notes: {type: sqlite, path: x, __proto__: {enabled: false}}}',
  ])('are faults: %s', async (text) => {
    const site = await writeSite({ '.backuprc': text });
    const failure = await failureOf(load(site));
    expect(failure.message).toMatch(/__proto__|constructor/);
    expect({}).not.toHaveProperty('level');
    expect({}).not.toHaveProperty('enabled');
  });

  it('do not hide among the fields of a merged map', async () => {
    const site = await writeSite({
      '.backuprc': 'sources:\n  a: &a {type: directory, path: a}\n  b:\n    <<: *a\n    path: b\n',
    });
    expect(sourceNamed(await load(site), 'b')).toMatchObject({ type: 'directory', path: join(site, 'b') });
  });
});

it('neither runs nor reads what cosmiconfig itself would look for', async () => {
  const site = await writeSite({
    '.backuprc': 'level: 3',
    '.config/config.js': 'globalThis.ran = true; module.exports = {};',
    '.config/config.json': '{"searchPlaces": ["x"]}',
    'package.json': '{"cosmiconfig": {"searchPlaces": ["x"]}}',
  });
  await mkdir(join(site, 'var'));
  const before = process.cwd();
  process.chdir(site);
  try {
    expect((await load(site)).level).toBe(3);
  } finally {
    process.chdir(before);
  }
  expect(globalThis).not.toHaveProperty('ran');
});
