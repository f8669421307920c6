import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { bkp, folder, jsonLines, lastLine, site, siteWithBackup, storageOf, type Ran } from './cli.js';

const idsOf = (ran: Ran): readonly unknown[] =>
  jsonLines(ran).flatMap(({ type, id }) => (type === 'backup' ? [id] : []));

describe('bkp list', () => {
  it('shows a table of at most 80 columns where it is piped, newest first', async () => {
    const { root, id } = await siteWithBackup('--format', 'tar.gz');
    const second = lastLine(await bkp(['create', '--json'], { cwd: root }));
    const { code, stdout, stderr } = await bkp(['ls'], { cwd: root });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [titles, newest, oldest, footer] = stdout.split('\n');
    expect(titles).toMatch(/^ID +AGE +SIZE +FORMAT +SCOPES/);
    expect(newest).toMatch(new RegExp(`^${String(second['id'])} .* KiB  zip  .* ok$`));
    expect(oldest).toMatch(new RegExp(`^${id} .* KiB  tar.gz  .* ok$`));
    expect(footer).toBe(`2 backups, ${footer!.split(', ')[1]}, in ${storageOf(root)}`);
    for (const line of [titles, newest, oldest]) expect(line!.length).toBeLessThanOrEqual(80);
  });

  it('sorts, limits and filters', async () => {
    const { root, id, file } = await siteWithBackup();
    const small = String(lastLine(await bkp(['create', '--only', 'snapshots', '--json'], { cwd: root }))['id']);
    const list = async (...args: readonly string[]) => idsOf(await bkp(['list', '--json', ...args], { cwd: root }));
    expect(await list()).toEqual([small, id]);
    expect(await list('--sort', 'size')).toEqual([id, small]);
    expect(await list('--sort', 'id')).toEqual([id, small]);
    expect(await list('--limit', '1')).toEqual([small]);
    expect(await list('--failed')).toEqual([]);
    expect(await list('--locked')).toEqual([]);
    expect(await list('--schedule', 'manual')).toEqual([small, id]);
    expect(await list('--schedule', 'daily')).toEqual([]);
    writeFileSync(`${file}.locked`, '');
    expect(await list('--locked')).toEqual([id]);
    writeFileSync(file, 'no archive');
    expect(await list('--failed')).toEqual([id]);
    const { stdout } = await bkp(['list', '--failed', '-v'], { cwd: root });
    expect(stdout).toMatch(/damaged +locked/);
    expect(stdout).toContain(`${id} is damaged: `);
    expect((await bkp(['list', '--schedule', 'daily'], { cwd: root })).stdout).toContain('None of the 2 backups');
  });

  it('leaves out those of other instances, and says so', async () => {
    const { root } = await siteWithBackup();
    const other = site('other');
    const env = { BKP_STORAGE: storageOf(root) };
    const { id } = lastLine(await bkp(['create', '--json'], { cwd: other, env }));
    const own = await bkp(['list'], { cwd: root });
    expect(own.stdout).not.toContain(String(id));
    expect(own.stdout).toContain('1 backup of other instances left out (--all shows them)');
    const all = await bkp(['list', '--all'], { cwd: root });
    expect(all.stdout).toMatch(new RegExp(`${String(id)}[^]* F +other[^]*^F = foreign$`, 'm'));
    expect(all.stdout).not.toContain('left out');
  });

  it('tells what the history knows of that is not there, as long as there is a history', async () => {
    const { root, id, file } = await siteWithBackup('--only', 'snapshots');
    await bkp(['create', '--only', 'snapshots', '--comment', 'stays'], { cwd: root });
    rmSync(file);
    const hook = { BKP_CONFIG: join(root, 'failing.yaml') };
    writeFileSync(hook.BKP_CONFIG, `root: ${root}\nhooks: { beforeCreate: ['false'] }\n`, { mode: 0o600 });
    expect(await bkp(['create'], { cwd: root, env: hook })).toMatchObject({ code: 1 });
    const rows = async (...args: readonly string[]) =>
      jsonLines(await bkp(['list', '--json', ...args], { cwd: root })).filter(({ type }) => type === 'backup');
    // All within a second or two, in which an id may tell of a second that is still to come: in any order.
    const all = await rows();
    expect(Object.fromEntries(all.map((row) => [String(row['status']), row]))).toMatchObject({
      failed: { id: null, file: null, format: null, origin: 'manual', bytes: 0, run: 3 },
      ok: { run: null },
      missing: { id, file: null, format: null, origin: 'manual', bytes: 0, run: null },
    });
    expect(all).toHaveLength(3);
    expect((await rows('--failed')).map(({ status }) => status)).toEqual(['failed', 'missing']);
    expect(await rows('--locked')).toEqual([]);
    const { stdout } = await bkp(['list', '-v'], { cwd: root });
    expect(stdout).toMatch(
      new RegExp(`^run 3 .* failed\n[^]*^${id} .* missing\n[^]*^run 3 failed: .*beforeCreate`, 'm'),
    );
    expect(stdout).toContain(`${id} is missing: `);
    expect(stdout).toMatch(/^1 backup, /m);
    const shown = await bkp(['show', id], { cwd: root });
    expect(shown).toMatchObject({ code: 10, stdout: '' });
    expect(shown.stderr).toMatch(new RegExp(`^error: the file of ${id} is missing: .*\nhint: .*bkp delete ${id}`));
    rmSync(join(storageOf(root), 'catalog.db'));
    expect(await rows()).toMatchObject([{ status: 'ok' }]);
  });

  it('names the next step where the storage is empty', async () => {
    const root = site();
    mkdirSync(storageOf(root));
    const { code, stdout } = await bkp(['list'], { cwd: root });
    expect(code).toBe(0);
    expect(stdout).toContain('Make one: bkp create');
  });

  it('ends with 10 where there is no storage', async () => {
    const { code, stdout, stderr } = await bkp(['list'], { cwd: site() });
    expect({ code, stdout }).toEqual({ code: 10, stdout: '' });
    expect(stderr).toMatch(/^error: there are no backups: the folder .*\nhint: .*bkp create/);
  });

  it('is damaged what a verification found to be, and the latest is another one', async () => {
    const { root, id } = await siteWithBackup();
    await setTimeout(1100);
    const { file, id: newer } = lastLine(await bkp(['create', '--json'], { cwd: root }));
    const bytes = readFileSync(String(file));
    bytes.fill(0x41, 60_000, 60_008);
    writeFileSync(String(file), bytes);
    const rows = async (...flags: string[]): Promise<readonly unknown[]> =>
      jsonLines(await bkp(['list', '--json', ...flags], { cwd: root }))
        .filter(({ type }) => type === 'backup')
        .map(({ id: listed, status }) => [listed, status]);
    expect(await rows('--failed')).toEqual([]);
    expect(await bkp(['verify', '--all'], { cwd: root })).toMatchObject({ code: 14 });
    expect(await rows()).toEqual([
      [newer, 'damaged'],
      [id, 'ok'],
    ]);
    expect(await rows('--failed')).toEqual([[newer, 'damaged']]);
    const shown = await bkp(['show', 'latest', '--file'], { cwd: root });
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining(id) as string });
  });

  it('is refused for a folder that holds nothing, with what to do, as create and status are', async () => {
    const empty = folder();
    for (const command of ['list', 'create', 'status']) {
      const { code, stderr } = await bkp(['-C', empty, command]);
      expect([code, stderr]).toEqual([2, expect.stringMatching(/has neither a configuration .*\nhint: `bkp init`/)]);
    }
    const above = site();
    writeFileSync(join(above, '.backuprc'), 'level: 1\n', { mode: 0o600 });
    mkdirSync(join(above, 'sub'));
    const { code, stderr } = await bkp(['-C', join(above, 'sub'), 'list']);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`above it: ${join(above, '.backuprc')}`)]);
  });

  it('needs no instance where a storage is named', async () => {
    const { root, id } = await siteWithBackup();
    rmSync(join(root, 'var', 'system.brain'));
    expect(idsOf(await bkp(['list', '--json', '--storage', storageOf(root)], { cwd: folder() }))).toEqual([id]);
    expect(await bkp(['list'], { cwd: folder() })).toMatchObject({ code: 2 });
  });
});
