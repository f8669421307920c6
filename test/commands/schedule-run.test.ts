import Database from 'better-sqlite3';
import { chmodSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { acquireLock } from '../../src/fs/lock.js';
import { monitoringService } from '../helpers/monitoring-service.js';
import { archivesIn, folder, jsonLines, storageOf, type Line, type Ran } from './cli.js';
import { catalogOf, change, changeSchedules, makeDue, scheduledSite } from './scheduled.js';

/** For what is not about databases, for which processes would be started each time. */
const small = ['--scopes', 'snapshots'];

const scheduled = (ran: Ran): readonly Line[] => jsonLines(ran).filter(({ type }) => type === 'scheduled');

/** As if every run had been so many minutes earlier. */
function setRunsBack(root: string, minutes: number): void {
  change(catalogOf(root), 'UPDATE run SET started_at = started_at - ?', minutes * 60_000);
}

/** How many runs of it the catalogue knows, by how they ended. */
function runsOf(root: string, schedule: string): readonly string[] {
  const database = new Database(catalogOf(root), { readonly: true });
  try {
    return database.prepare('SELECT result FROM run WHERE schedule = ? ORDER BY id').pluck().all(schedule) as string[];
  } finally {
    database.close();
  }
}

describe('bkp schedule run', () => {
  it('runs what is due once, and is quiet where all is well', async () => {
    const { root, run } = await scheduledSite({ daily: [], off: ['--disabled'] });
    expect(scheduled(await run('schedule', 'run', '--json'))).toEqual([]);
    makeDue(root);
    const planned = await run('schedule', 'run', '--dry-run', '--json');
    expect(scheduled(planned)).toMatchObject([{ schedule: 'daily', outcome: 'planned', attempt: 1, id: null }]);
    expect(existsSync(storageOf(root))).toBe(false);
    expect(await run('schedule', 'run', '-q')).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    expect(archivesIn(root)).toHaveLength(1);
    // However often: its slot is filled.
    expect((await run('schedule', 'run')).stdout).toBe('No schedule is due.\n');
    expect(archivesIn(root)).toHaveLength(1);
    expect(runsOf(root, 'daily')).toEqual(['done']);
  });

  it('tells monitor and hooks where a backup cannot even begin', async () => {
    const { url, asked } = await monitoringService();
    const told = join(folder(), 'told');
    const hook = `['sh', '-c', 'echo $BKP_HOOK_EVENT $BKP_HOOK_EXIT_CODE >> ${told}']`;
    const config = `notify: { url: '${url}' }\nhooks: { onFailure: ${hook}, finally: ${hook} }\n`;
    const { root, run } = await scheduledSite({ daily: ['--encrypt'] }, config);
    makeDue(root);
    const tellings = async (code: number, ...args: readonly string[]) => {
      asked.splice(0);
      rmSync(told, { force: true });
      expect(await run(...args)).toMatchObject({ code });
      return { asked: asked.map((one) => one.replace(/ping\/fail .*/, 'fail')), told: readFileSync(told, 'utf8') };
    };
    const failed = (code: number) => ({ asked: ['POST /fail'], told: `onFailure ${code}\nfinally ${code}\n` });
    // Cron can ask nobody for a passphrase.
    expect(await tellings(12, 'schedule', 'run')).toEqual(failed(12));
    expect(await tellings(12, 'create', '--schedule', 'daily')).toEqual(failed(12));
    changeSchedules(root, 'UPDATE backup_schedule SET options = NULL');
    writeFileSync(storageOf(root), 'a file in the place of the folder');
    expect(await tellings(1, 'schedule', 'run')).toEqual({ ...failed(1), asked: ['GET /ping/start', 'POST /fail'] });
    rmSync(storageOf(root));
    symlinkSync('backups', storageOf(root));
    expect(await tellings(1, 'schedule', 'run')).toEqual(failed(1));
    changeSchedules(root, 'DROP TABLE backup_schedule');
    changeSchedules(root, 'CREATE VIEW backup_schedule AS SELECT 1');
    expect(await tellings(1, 'create', '--schedule', 'daily')).toEqual(failed(1));
  });

  it('runs each of several, whatever is wrong with one: a row of nonsense, and scopes that no source has', async () => {
    const { root, run } = await scheduledSite({ a: small, broken: small, empty: small, z: small });
    makeDue(root);
    changeSchedules(root, "UPDATE backup_schedule SET time_of_day = '25:99' WHERE name = 'broken'");
    const quiet = await run('schedule', 'run', '--json', '--dry-run');
    expect(jsonLines(quiet).at(-1)).toMatchObject({ exitCode: 1, invalid: [{ name: 'broken' }], counts: { due: 3 } });
    changeSchedules(root, "UPDATE backup_schedule SET scopes = 'nothing' WHERE name = 'empty'");
    const ran = await run('schedule', 'run', '--json');
    const outcomes = scheduled(ran).map(({ schedule, outcome }) => [schedule, outcome]);
    expect(outcomes.toSorted()).toEqual([
      ['a', 'done'],
      ['empty', 'failed'],
      ['z', 'done'],
    ]);
    expect(ran.code).toBe(2);
    expect(archivesIn(root)).toHaveLength(2);
    const again = await run('schedule', 'run', '-q');
    expect(again.stdout + again.stderr).toMatch(/the schedule broken cannot be used: time_of_day/);
  });

  it('tries a failed one again after a pause, a few times', async () => {
    const config = 'hooks: { beforeCreate: "test -e mended" }\n';
    const { root, run } = await scheduledSite({ daily: small }, config);
    makeDue(root);
    const attempt = async (): Promise<Line | undefined> => scheduled(await run('schedule', 'run', '--json'))[0];
    expect(await attempt()).toMatchObject({ outcome: 'failed', attempt: 1, exitCode: 1, error: { id: 'hook-failed' } });
    expect(await attempt()).toBeUndefined();
    setRunsBack(root, 11);
    expect(await attempt()).toMatchObject({ outcome: 'failed', attempt: 2 });
    setRunsBack(root, 11);
    expect(await attempt()).toBeUndefined();
    setRunsBack(root, 20);
    writeFileSync(join(root, 'mended'), '');
    expect(await attempt()).toMatchObject({ outcome: 'done', attempt: 3 });
    expect(await attempt()).toBeUndefined();
    expect(runsOf(root, 'daily')).toEqual(['failed', 'failed', 'done']);
  });

  it('waits for the next time where another run holds the lock, which counts as no attempt', async () => {
    const { root, run } = await scheduledSite({ daily: small });
    await run('create', '--only', 'snapshots');
    makeDue(root);
    const path = join(storageOf(root), '.bkp.lock');
    const lock = await acquireLock(path, { holder: 'test', wait: 0, clock: systemClock });
    const ran = await run('schedule', 'run', '--json', '--lock-wait', '0s');
    const quiet = await run('schedule', 'run', '-q', '--lock-wait', '0s');
    lock.release();
    expect(ran.code).toBe(0);
    expect(scheduled(ran)).toMatchObject([{ outcome: 'skipped', error: { id: 'lock-held' } }]);
    expect(quiet).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(scheduled(await run('schedule', 'run', '--json'))).toMatchObject([{ outcome: 'done', attempt: 1 }]);
  });

  it('fires nothing twice where the catalogue was deleted: archives count', async () => {
    const { root, run } = await scheduledSite({ a: small, b: small });
    makeDue(root);
    expect(scheduled(await run('schedule', 'run', '--json'))).toHaveLength(2);
    rmSync(catalogOf(root));
    expect(scheduled(await run('schedule', 'run', '--json'))).toEqual([]);
    expect(archivesIn(root)).toHaveLength(2);
  });

  it.each([
    ['damaged', (path: string) => writeFileSync(path, 'no database at all '.repeat(1000))],
    ['of a newer version', (path: string) => change(path, 'PRAGMA user_version = 99')],
    ['read-only', (path: string) => chmodSync(path, 0o400)],
  ])('backs up although the catalogue is %s', async (what, harm) => {
    const { root, run } = await scheduledSite({ daily: small });
    await run('create', '--only', 'snapshots');
    harm(catalogOf(root));
    const before = readFileSync(catalogOf(root));
    makeDue(root);
    const ran = await run('schedule', 'run', '--json');
    expect(ran.code).toBe(0);
    expect(scheduled(ran)).toMatchObject([{ outcome: 'done', exitCode: 0 }]);
    expect(scheduled(await run('schedule', 'run', '--json'))).toEqual([]);
    if (what === 'of a newer version') expect(readFileSync(catalogOf(root)).equals(before)).toBe(true);
    expect(await run('verify', 'latest')).toMatchObject({ code: 0 });
  });

  it('verifies again what was proven long ago, and ends with 14 where it is damaged', async () => {
    const { root, run, json } = await scheduledSite();
    const { id, file } = await json('create', '--schedule', 'daily');
    await run('verify', 'latest');
    expect(jsonLines(await run('schedule', 'run', '--json')).at(-1)).toMatchObject({ exitCode: 0, reverified: [] });
    change(catalogOf(root), 'UPDATE archive SET verified_at = 1');
    const bytes = readFileSync(String(file));
    // Within the first database: the directory of the archive is whole.
    bytes.writeUInt8(bytes.readUInt8(1000) ^ 0xff, 1000);
    writeFileSync(String(file), bytes);
    const ran = await run('schedule', 'run', '--json');
    expect(ran.code).toBe(14);
    expect(jsonLines(ran).at(-1)).toMatchObject({ exitCode: 14, reverified: [{ id, verdict: 'damaged' }] });
    const status = await run('status', '-q');
    expect(status.code).toBe(16);
    expect(status.stdout).toContain(`fault: ${String(id)}: it cannot be restored as it is (backup-damaged)`);
    // Told once, and remembered.
    expect(await run('schedule', 'run')).toMatchObject({ code: 0 });
  });

  it('fails where the storage is no folder', async () => {
    const { root, run } = await scheduledSite({ a: [], b: [] });
    makeDue(root);
    writeFileSync(storageOf(root), 'a file in the place of the storage');
    const ran = await run('schedule', 'run', '-q');
    expect(ran.code).toBe(1);
    expect(ran.stderr + ran.stdout).toMatch(/error: .*backups/);
  });
});
