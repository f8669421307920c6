import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { archivesIn, jsonLines, preparedSite, storageOf, type Line, type Ran } from './cli.js';
import {
  callsIn,
  catalogOf,
  change,
  interruptRestore,
  makeDue,
  scheduledSite,
  setSchedule,
  type Calls,
} from './scheduled.js';

const faults = (ran: Ran): readonly unknown[] =>
  jsonLines(ran).flatMap(({ type, level, id, subject }) =>
    type === 'problem' && level === 'fault' ? [[id, subject]] : [],
  );
const summary = (ran: Ran): Line | undefined => jsonLines(ran).at(-1);

/** An instance of one database with a backup: all is well with it. */
async function healthySite(): Promise<Calls & { readonly id: string }> {
  const off = ['system.brain', 'snapshots', 'uploads'].map((name) => `  ${name}: { enabled: false }\n`);
  const config = `sources:\n${off.join('')}`;
  const { root, made } = await preparedSite('healthy', async (prepared) => {
    writeFileSync(join(prepared, '.backuprc'), config, { mode: 0o600 });
    const calls = callsIn(prepared);
    await setSchedule(calls, 'daily');
    return (await calls.json('create', '--schedule', 'daily'))['id'];
  });
  return { ...callsIn(root), id: String(made) };
}

describe('bkp status', () => {
  it('ends with 0 where all is well, and then says nothing with -q', async () => {
    const { root, run, id } = await healthySite();
    const healthy = await run('status');
    expect(healthy).toMatchObject({ code: 0, stderr: '' });
    expect(healthy.stdout).toMatch(/^The backups of site are healthy\.\n {2}last good {2}\d{8}T\d{6}Z-daily, /);
    expect(healthy.stdout).toMatch(/^daily .* ok$/m);
    expect(await run('status', '-q')).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    const told = await run('status', '--json', '--max-age', '26h');
    expect(faults(told)).toEqual([]);
    expect(summary(told)).toMatchObject({
      command: 'status',
      exitCode: 0,
      healthy: true,
      id,
      storage: storageOf(root),
      schedules: [{ name: 'daily', enabled: true, lastOutcome: 'complete', overdueSince: null }],
      counts: { backups: 1, faults: 0 },
    });
  });

  it('ends with 16 where the newest backup is too old, or a schedule is overdue', async () => {
    const { root, run, id } = await healthySite();
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const old = await run('status', '--json', '--max-age', '1s');
    expect(old.code).toBe(16);
    expect(faults(old)).toEqual([['too-old', id]]);
    expect(await run('status', '--max-age', 'soon')).toMatchObject({ code: 2, stdout: '' });
    expect(await run('status', '--max-age', '0s')).toMatchObject({ code: 2, stdout: '' });
    rmSync(storageOf(root), { recursive: true });
    makeDue(root);
    const overdue = await run('status', '--json');
    expect(overdue.code).toBe(16);
    expect(faults(overdue)).toEqual([
      ['no-backup', null],
      ['schedule-overdue', 'daily'],
    ]);
    expect((await run('status', '-q')).stdout).toMatch(/^fault: daily: .*\(schedule-overdue\)$/m);
  });

  it('tells a backup that is not there any more, but not one that was deleted', async () => {
    const { root, run, json, id } = await healthySite();
    const { id: second } = await json('create');
    const { id: third } = await json('create');
    await run('delete', String(second), '--confirm', String(second));
    rmSync(join(storageOf(root), `${String(third)}.zip`));
    const ran = await run('status', '--json');
    expect(ran.code).toBe(16);
    expect(faults(ran)).toEqual([['backup-missing', third]]);
    expect(summary(ran)).toMatchObject({ healthy: false, id });
  });

  it('forgets what is missing once that is deleted, and says that no file was', async () => {
    const { root, run, json } = await healthySite();
    const gone = String((await json('create'))['id']);
    const there = String((await json('create'))['id']);
    rmSync(join(storageOf(root), `${gone}.zip`));
    const hinted = await run('status', '-q');
    expect(hinted.stdout).toContain(`bkp delete ${gone}`);
    const refused = await run('delete', gone);
    expect(refused).toMatchObject({ code: 15 });
    expect(refused.stderr).toContain(`--confirm ${gone}`);
    const deleted = await run('delete', gone, there, '--confirm', `${gone},${there}`);
    expect(deleted).toMatchObject({
      code: 0,
      stdout: `${there} is deleted\n${gone} is forgotten: there was no file to delete\n`,
    });
    expect(faults(await run('status', '--json'))).toEqual([]);
    expect(await run('delete', gone, '--confirm', gone)).toMatchObject({ code: 10 });
    expect(summary(await run('list', '--json'))).toMatchObject({ counts: { shown: 1, own: 1 } });
  });

  it('tells a damaged backup: one that cannot be opened, and one that a verification found', async () => {
    const { root, run, json, id } = await healthySite();
    const { id: second } = await json('create');
    truncateSync(join(storageOf(root), `${String(second)}.zip`), 1000);
    const ran = await run('status', '--json');
    expect(ran.code).toBe(16);
    expect(faults(ran)).toEqual([['backup-damaged', second]]);
    rmSync(join(storageOf(root), `${String(second)}.zip`));
    change(catalogOf(root), 'DELETE FROM run WHERE backup = ?', second);
    const known = "INSERT OR REPLACE INTO archive (name, verified_at, verdict) VALUES (?, 1, 'damaged')";
    change(catalogOf(root), known, `${id}.zip`);
    expect(faults(await run('status', '--json'))).toEqual([
      ['no-backup', null],
      ['backup-damaged', id],
    ]);
  });

  it('says that the newest backup is incomplete, and does not call the next one the first', async () => {
    const { root, run, json, id } = await healthySite();
    renameSync(join(root, 'var/user.brain'), join(root, 'user.brain'));
    mkdirSync(join(root, 'more'));
    const config = readFileSync(join(root, '.backuprc'), 'utf8');
    writeFileSync(join(root, '.backuprc'), `${config}  more: { type: directory, path: more }\n`);
    const { id: newest, complete } = await json('create');
    expect(complete).toBe(false);
    const { stdout, code } = await run('status');
    expect(stdout).toMatch(/^The backups of site are .*\n/);
    expect(stdout).toContain(`last good  ${id}, `);
    expect(stdout).toContain(
      `note: ${String(newest)}: the newest backup lacks something it should hold (backup-incomplete)`,
    );
    expect(stdout).toMatch(
      new RegExp(
        `^What the newest lacks: .* show ${String(newest)}\\nPut the last good one back: .* restore \\S+ --dry-run\\nMake a complete backup: .* create$`,
        'm',
      ),
    );
    expect(code).toBe(16);
    rmSync(join(storageOf(root), `${id}.zip`));
    const alone = await run('status');
    expect(alone.stdout).toMatch(/last good {2}none[^]*^Make a complete backup: .* create$/m);
    expect(alone.stdout).not.toContain('first');
  });

  it('tells an unfinished restore', async () => {
    const { root, run } = await healthySite();
    await interruptRestore(root);
    const ran = await run('status', '--json');
    expect(ran.code).toBe(16);
    expect(faults(ran)).toEqual([['restore-unfinished', null]]);
  });

  it('tells that there is none yet, and makes nothing', async () => {
    const { root, run } = await scheduledSite({});
    const ran = await run('status');
    expect(ran).toMatchObject({ code: 16, stderr: '' });
    expect(ran.stdout).toMatch(/last good {2}none/);
    expect(ran.stdout).toMatch(/^fault: there is no complete backup \(no-backup\)$/m);
    expect(ran.stdout).toMatch(/^Make the first backup: .* create$/m);
    expect(existsSync(storageOf(root))).toBe(false);
  });

  it('goes by what is there where the history cannot be read', async () => {
    const { root, run } = await healthySite();
    change(catalogOf(root), 'PRAGMA user_version = 99');
    expect(await run('status', '-q')).toMatchObject({ code: 0, stdout: '' });
    expect(archivesIn(root)).toHaveLength(1);
  });
});
