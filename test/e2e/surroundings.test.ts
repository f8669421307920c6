import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bkp, bkpProcess, ended, jsonLines, siteCopy, startBkp } from '../helpers/cli.js';
import { isRoot, temporaryFolder, tinyFileSystem } from '../helpers/surroundings.js';

const backupsOf = (site: string): readonly string[] => {
  const folder = join(site, 'var/backups');
  return existsSync(folder) ? readdirSync(folder).filter((name) => name !== '.bkp.lock' && name !== 'catalog.db') : [];
};

describe("cron's environment", () => {
  it('is enough: no HOME, no terminal, nothing but a PATH', async () => {
    const site = siteCopy();
    const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` };
    const made = await bkpProcess(['create', '-C', site, '-q'], { env, cwd: '/' });
    expect(made).toEqual({ code: 0, stdout: '', stderr: '' });
    const listed = await bkpProcess(['list', '-C', site, '--json'], { env, cwd: '/' });
    expect(listed.code).toBe(0);
    expect(jsonLines(listed).filter(({ type }) => type === 'backup')).toHaveLength(1);
  });
});

describe('a full disk', () => {
  it('ends with 13, leaves nothing behind and older backups untouched', async (context) => {
    const storage = tinyFileSystem(3 * 1024 * 1024);
    if (storage === undefined) return context.skip();
    const site = siteCopy();
    expect((await bkp(['create', '-C', site, '--storage', storage])).code).toBe(0);
    const before = readdirSync(storage);
    // Does not shrink, so that it cannot fit.
    writeFileSync(join(site, 'var/uploads/large'), randomBytes(5_000_000));
    const failed = await bkp(['create', '-C', site, '--storage', storage]);
    expect(failed.stderr).toMatch(
      /no space left.*\na backup takes up to .* MiB were free in \S+ when it began\nhint: Free/,
    );
    expect(failed.code).toBe(13);
    expect(readdirSync(storage)).toEqual(before);
    expect((await bkp(['verify', '-C', site, '--storage', storage, '--all'])).code).toBe(0);
  });
});

describe('a run that is killed', () => {
  it('leaves no archive, and the next run removes what it left', async () => {
    const site = siteCopy();
    writeFileSync(join(site, 'var/uploads/large'), randomBytes(30_000_000));
    const child = startBkp(['create', '-C', site, '--level', '9']);
    const end = ended(child);
    while (!backupsOf(site).some((name) => name.endsWith('.partial'))) await new Promise((r) => setTimeout(r, 5));
    child.kill('SIGKILL');
    await end;
    expect(backupsOf(site).filter((name) => name.endsWith('.zip'))).toEqual([]);
    expect((await bkp(['list', '-C', site])).code).toBe(0);
    const next = await bkp(['create', '-C', site]);
    expect(next.code).toBe(0);
    expect(backupsOf(site).filter((name) => name.startsWith('.') && !name.startsWith('.entries-'))).toEqual([]);
    expect((await bkp(['verify', '-C', site, '--all'])).code).toBe(0);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s: cleans up and says so by its exit code', async (signal) => {
    const site = siteCopy();
    writeFileSync(join(site, 'var/uploads/large'), randomBytes(30_000_000));
    const child = startBkp(['create', '-C', site, '--level', '9']);
    const end = ended(child);
    while (!backupsOf(site).some((name) => name.endsWith('.partial'))) await new Promise((r) => setTimeout(r, 5));
    child.kill(signal);
    expect((await end).code).toBe({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal]);
    expect(backupsOf(site)).toEqual([]);
  });
});

describe('two runs at once', () => {
  it('are one run and an exit with 11, or one after the other with --lock-wait', async () => {
    const site = siteCopy();
    writeFileSync(join(site, 'var/uploads/large'), randomBytes(30_000_000));
    const first = startBkp(['create', '-C', site, '--level', '9']);
    const end = ended(first);
    while (!backupsOf(site).some((name) => name.endsWith('.partial'))) await new Promise((r) => setTimeout(r, 5));
    const second = await bkp(['create', '-C', site, '--no-uploads']);
    expect(second.code).toBe(11);
    expect(second.stderr).toContain(String(first.pid));
    const third = await bkp(['create', '-C', site, '--no-uploads', '--lock-wait', '2m']);
    expect(third.code).toBe(0);
    expect((await end).code).toBe(0);
    expect(backupsOf(site).filter((name) => name.endsWith('.zip'))).toHaveLength(2);
  });
});

describe('what cannot be read', () => {
  it('makes an incomplete archive that names it, with exit 3', async () => {
    const site = siteCopy();
    execFileSync('rm', ['-r', join(site, 'var/snapshots')]);
    const made = await bkp(['create', '-C', site]);
    expect(made.code).toBe(3);
    expect(made.stderr).toContain('source-missing');
    const verified = await bkp(['verify', '-C', site]);
    expect(verified.code).toBe(10);
    const all = await bkp(['verify', '-C', site, '--all']);
    expect(all.code).toBe(3);
  });

  it.skipIf(!isRoot)('by an unprivileged user is named file by file', async () => {
    const site = siteCopy();
    chmodSync(join(site, '..'), 0o777);
    execFileSync('chown', ['-R', '65534:65534', site]);
    const hidden = join(site, 'var/uploads/hidden');
    writeFileSync(hidden, 'secret', { mode: 0o600 });
    const under = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const made = await bkp(['create', '-C', site], { under });
    expect(made.stderr).toContain('uploads/hidden');
    expect(made.code).toBe(3);
  });

  it('is an error where nothing at all is left, and no archive is made', async () => {
    const site = siteCopy();
    execFileSync('rm', ['-r', join(site, 'var')]);
    mkdirSync(join(site, 'var'));
    const made = await bkp(['create', '-C', site]);
    expect(made.code).toBe(1);
    expect(backupsOf(site)).toEqual([]);
  });
});

describe('a storage of several instances', () => {
  it('shows each instance its own backups, and names the others', async () => {
    const [one, two] = [siteCopy(), siteCopy()];
    const storage = join(temporaryFolder(), 'shared');
    writeFileSync(join(one, '.backuprc'), `instance: one\nstorage: ${storage}\n`, { mode: 0o600 });
    writeFileSync(join(two, '.backuprc'), `instance: two\nstorage: ${storage}\n`, { mode: 0o600 });
    for (const site of [one, two]) expect((await bkp(['create', '-C', site])).code).toBe(0);
    const listed = jsonLines(await bkp(['list', '-C', one, '--json'])).filter(({ type }) => type === 'backup');
    expect(listed.map(({ instance }) => instance)).toEqual(['one']);
    const all = jsonLines(await bkp(['list', '-C', one, '--all', '--json'])).filter(({ type }) => type === 'backup');
    expect(all.map(({ instance }) => instance).sort()).toEqual(['one', 'two']);
    const shown = await bkp(['show', '-C', one, 'latest', '--json']);
    expect(shown.stdout).toContain('"instance":"one"');
  });
});
