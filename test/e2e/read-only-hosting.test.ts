import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bkp, bkpFile, siteCopy } from '../helpers/cli.js';
import { describeTree } from '../helpers/instance.js';
import { isRoot, temporaryFolder } from '../helpers/surroundings.js';
import { crashAfter, readDatabase } from '../sqlite/databases.js';

/** Mounts a folder over itself so that nobody can write to it; false where we may not. */
function makeReadOnly(folder: string): boolean {
  const mount = (...args: readonly string[]): boolean => spawnSync('mount', args, { stdio: 'ignore' }).status === 0;
  if (!isRoot || !mount('--bind', folder, folder)) return false;
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
  return mount('-o', 'remount,bind,ro', folder);
}

const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

/** Streams a site's backup into a file. */
function stream(site: string, file: string, under = ''): { readonly status: number | null; readonly stderr: string } {
  const line = `${under} "${process.execPath}" "${bkpFile}" -C "${site}" create -o - > "${file}"`;
  return spawnSync('bash', ['-c', line], { encoding: 'utf8' });
}

/** A site with a backup in its storage, and databases that an application has left as they are. */
async function siteWithBackup(): Promise<string> {
  const site = siteCopy();
  expect((await bkp(['create', '-C', site, '-q'])).code).toBe(0);
  return site;
}

async function expectReadable(site: string, under: readonly string[] = []): Promise<void> {
  const target = join(temporaryFolder(), 'target');
  for (const args of [['list'], ['show', 'latest'], ['verify'], ['restore', 'latest', '--target', target]]) {
    const ran = await bkp([...args, '-C', site], { under });
    expect([ran.stderr, ran.code]).toEqual(['', 0]);
  }
}

describe('an instance on a file system that is mounted read-only', () => {
  it('lists, shows, verifies, restores elsewhere, and streams a backup of its live databases', async (context) => {
    const site = await siteWithBackup();
    // A running application has left what it wrote in its -wal.
    crashAfter(join(site, 'var/system.brain'), 'CREATE TABLE left (a); INSERT INTO left VALUES (1), (2), (3)');
    expect(readdirSync(join(site, 'var'))).toContain('system.brain-wal');
    if (!makeReadOnly(site)) return context.skip();
    const before = describeTree(site);
    await expectReadable(site);

    const stored = await bkp(['create', '-C', site]);
    expect(stored.code).toBe(1);
    expect(stored.stderr).toMatch(/^error: the storage .* cannot be written to: EROFS/);
    expect(stored.stderr).toMatch(/^hint: .*`bkp create -o - > site\.zip`.*`readOnly: true` \(or BKP_READ_ONLY=1\)/m);
    expect(stored.stdout).toBe('');

    const file = join(temporaryFolder(), 'site.zip');
    const streamed = stream(site, file);
    expect(streamed.status).toBe(0);
    expect((await bkp(['verify', file])).code).toBe(0);
    const target = join(temporaryFolder(), 'target');
    expect((await bkp(['restore', file, '--target', target])).code).toBe(0);
    expect(readDatabase(join(target, 'var/system.brain'), 'SELECT count(*) AS n FROM left')).toEqual([{ n: 3 }]);
    expect(describeTree(site)).toEqual(before);
  });
});

describe.skipIf(!isRoot)('an unprivileged user who may only read', () => {
  it('lists, shows, verifies, restores elsewhere and streams; a storage that cannot be written to is named', async () => {
    const site = await siteWithBackup();
    chmodSync(join(site, '..'), 0o755);
    // Archives are their owner's alone; here he lets others read.
    execFileSync('chmod', ['-R', 'a+rX', site]);
    await expectReadable(site, nobody);
    const stored = await bkp(['create', '-C', site], { under: nobody });
    expect(stored.code).toBe(1);
    expect(stored.stderr).toMatch(/^error: the storage .* cannot be written to: EACCES[^]*BKP_READ_ONLY/);
    expect(stored.stderr).toMatch(
      /^hint: .* belongs to the user with id 0, and bkp runs as 65534: run bkp as that user\./m,
    );
    const file = join(temporaryFolder(), 'site.zip');
    writeFileSync(file, '');
    expect(stream(site, file, nobody.join(' ')).status).toBe(0);
    expect((await bkp(['verify', file])).code).toBe(0);
  });
});
