import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { archivesIn, folder, jsonLines, namesIn, storageOf } from './cli.js';
import { hasTool, tool } from '../helpers/cli.js';
import { catalogOf, interruptRestore, makeDue, scheduledSite, type Calls } from './scheduled.js';

/** For what is not about databases, for which processes would be started each time. */
const small = ['--keep', '1', '--scopes', 'snapshots'];

/** So many backups of a schedule, of which nothing was removed. */
async function backups({ run }: Calls, name: string, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    expect(await run('create', '--schedule', name, '--no-prune')).toMatchObject({ code: 0 });
  }
}

describe('bkp create --schedule', () => {
  it.runIf(hasTool('unzip'))('makes what the schedule says, and fills its slot', async () => {
    const flags = ['--level', '0', '--exclude', 'uploads/**', '--comment', 'every night', '--scopes', 'uploads,config'];
    const { root, run, json } = await scheduledSite({ daily: flags });
    makeDue(root);
    expect(await json('schedule', 'run', '--dry-run')).toMatchObject({ counts: { due: 1 } });
    const made = await json('create', '--schedule', 'daily', '--exclude', 'config/.env');
    expect(made).toMatchObject({ exitCode: 0, format: 'zip', leftOut: ['system.brain', 'user.brain', 'snapshots'] });
    expect(made['id']).toMatch(/^\d{8}T\d{6}Z-daily$/);
    const manifest = JSON.parse(tool('unzip', ['-p', String(made['file']), 'manifest.json'])) as object;
    expect(manifest).toMatchObject({ comment: 'every night', schedule: 'daily' });
    const entries = tool('unzip', ['-v', String(made['file'])]);
    expect(entries).toMatch(/ Stored .* config\/\.env\.local$/m);
    expect(entries).not.toMatch(/Defl|config\/\.env$|uploads\/./m);
    const after = await json('schedule', 'run');
    expect(after).toMatchObject({ exitCode: 0, counts: { due: 0 } });
    expect(archivesIn(root)).toHaveLength(1);
    expect((await run('log', '--list')).stdout).toMatch(/daily/);
  });

  it('takes format and comment: what is said now goes first', async () => {
    const { root, json } = await scheduledSite({ daily: ['--format', 'tar.gz', '--comment', 'every night'] });
    const { id, file } = await json('create', '--schedule', 'daily', '--comment', 'by hand');
    expect(file).toBe(join(storageOf(root), `${String(id)}.tar.gz`));
    expect(await json('show', String(id))).toMatchObject({ comment: 'by hand' });
  });

  it('encrypts where the schedule says so, and does not begin without a passphrase', async () => {
    const calls = await scheduledSite({ daily: ['--encrypt', '--hint', 'second drawer'] });
    const refused = await calls.run('create', '--schedule', 'daily');
    expect(refused).toMatchObject({ code: 12, stdout: '' });
    expect(existsSync(storageOf(calls.root)) ? archivesIn(calls.root) : []).toEqual([]);
    const secret = 'correct horse battery';
    const made = await calls.with({ BKP_PASSPHRASE: secret }).json('create', '--schedule', 'daily');
    expect(made).toMatchObject({ exitCode: 0, encrypted: true, verified: true });
    expect(await calls.run('verify', 'latest')).toMatchObject({ code: 12 });
    const told = readFileSync(String(made['file'])).includes('second drawer');
    expect(told, 'the hint in the archive').toBe(true);
    for (const name of namesIn(storageOf(calls.root))) {
      expect(readFileSync(join(storageOf(calls.root), name)).includes(secret), name).toBe(false);
    }
  });

  it('removes two at most of what its schedule does not keep, of that schedule alone', async () => {
    const calls = await scheduledSite({ daily: small, other: small });
    const { root, json } = calls;
    await backups(calls, 'other', 2);
    await backups(calls, 'daily', 3);
    const before = archivesIn(root);
    const of = (name: string): readonly string[] => before.filter((file) => file.endsWith(`-${name}.zip`));
    const made = await json('create', '--schedule', 'daily');
    const removed = of('daily').slice(0, 2);
    expect(made['removed']).toEqual(removed.map((name) => name.slice(0, -'.zip'.length)).reverse());
    const left = [...before.filter((name) => !removed.includes(name)), `${String(made['id'])}.zip`].sort();
    expect(archivesIn(root)).toEqual(left);
    expect(of('other')).toHaveLength(2);
    expect(namesIn(storageOf(root)).filter((name) => name.endsWith('.sha256'))).toHaveLength(left.length);
  });

  it('removes nothing after an incomplete one, and ends with 3', async () => {
    const calls = await scheduledSite({ daily: ['--keep', '1'] });
    await backups(calls, 'daily', 2);
    const { root } = calls;
    makeDue(root);
    renameSync(join(root, 'var/user.brain'), join(root, 'moved'));
    const made = await calls.json('create', '--schedule', 'daily');
    expect(made).toMatchObject({ exitCode: 3, complete: false, removed: [] });
    expect(archivesIn(root)).toHaveLength(3);
    expect(await calls.json('schedule', 'run')).toMatchObject({ counts: { due: 0 } });
  });

  it('locks what it made with --lock, which retention then keeps', async () => {
    const { root, json } = await scheduledSite({ daily: small });
    const { id } = await json('create', '--schedule', 'daily', '--lock');
    expect(namesIn(storageOf(root))).toContain(`${String(id)}.zip.locked`);
    expect(await json('create', '--schedule', 'daily')).toMatchObject({ exitCode: 0, removed: [] });
    expect(archivesIn(root)).toHaveLength(2);
  });

  it('backs up the snapshots of one project, which are not put in the place of all', async () => {
    const flags = ['--scopes', 'snapshots', '--project', 'stadtgarten'];
    const { root, run } = await scheduledSite({ garden: flags });
    const made = await run('create', '--schedule', 'garden', '--json');
    expect(made.code).toBe(0);
    expect(jsonLines(made).filter(({ type }) => type === 'source')).toMatchObject([{ name: 'snapshots', files: 3 }]);
    const others = namesIn(join(root, 'var/snapshots'));
    const { id } = jsonLines(made).at(-1)!;
    const refused = await run('restore', String(id), '--confirm', String(id));
    expect(refused).toMatchObject({ code: 15, stdout: '' });
    expect(refused.stderr).toMatch(
      /^error: .* only the project stadtgarten of snapshots\nhint: .*--path 'snapshots\/stadtgarten\/\*\*'/m,
    );
    expect(namesIn(join(root, 'var/snapshots'))).toEqual(others);
    const target = join(folder(), 'target');
    expect(await run('restore', String(id), '--target', target)).toMatchObject({ code: 0 });
    expect(namesIn(join(target, 'var/snapshots'))).toEqual(['stadtgarten']);
  });

  it('refuses what the schedule says itself', async () => {
    const { root, run } = await scheduledSite();
    const contradictions = [
      ['--only', 'uploads'],
      ['--format', 'zip'],
      ['--level', '3'],
      ['-o', 'x.zip'],
      ['-o', '-'],
      ['--no-uploads'],
      ['--with-config'],
      ['--no-encrypt'],
    ];
    const refused = await Promise.all(contradictions.map((flags) => run('create', '--schedule', 'daily', ...flags)));
    for (const [n, ran] of refused.entries()) {
      expect(ran, contradictions[n]?.join(' ')).toMatchObject({ code: 2, stdout: '' });
      expect(ran.stderr).toMatch(/^error: --[a-z-]+ and --schedule contradict each other/);
    }
    expect(existsSync(storageOf(root))).toBe(false);
  });

  it('tells what schedules there are where there is none of that name', async () => {
    const { root, run } = await scheduledSite();
    const refused = await run('create', '--schedule', 'dayly');
    expect(refused).toMatchObject({ code: 10, stdout: '' });
    expect(refused.stderr).toContain('There are: daily.');
    expect(existsSync(storageOf(root))).toBe(false);
    expect(await run('create', '--no-prune')).toMatchObject({ code: 2 });
  });

  it('refuses in read-only mode: it never streams', async () => {
    const calls = await scheduledSite();
    for (const args of [
      ['create', '--schedule', 'daily'],
      ['schedule', 'run'],
    ]) {
      const refused = await calls.with({ BKP_READ_ONLY: '1' }).run(...args);
      expect(refused).toMatchObject({ code: 15, stdout: '' });
      expect(refused.stderr).toMatch(/read-only/);
    }
    expect(existsSync(storageOf(calls.root))).toBe(false);
  });

  it('refuses while a restore is unfinished', async () => {
    const { root, run } = await scheduledSite();
    makeDue(root);
    await interruptRestore(root);
    for (const args of [
      ['create', '--schedule', 'daily'],
      ['schedule', 'run'],
    ]) {
      const refused = await run(...args);
      expect({ args, code: refused.code }).toEqual({ args, code: 15 });
      expect(refused.stderr).toMatch(/bkp restore --recover/);
    }
    expect(existsSync(catalogOf(root))).toBe(false);
  });
});
