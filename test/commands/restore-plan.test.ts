import { cpSync, lstatSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { otherFileSystem, tinyFileSystem } from '../helpers/surroundings.js';
import { bkp, lastLine, namesIn, site, siteWithBackup } from './cli.js';

/** Every file and folder below, by what changes when somebody only so much as touches it. */
function looks(root: string): unknown {
  return ['.', ...readdirSync(root, { recursive: true, encoding: 'utf8' })].sort().map((path) => {
    const { ino, mode, size, mtimeNs, ctimeNs } = lstatSync(join(root, path), { bigint: true });
    return [path, ino, mode, size, mtimeNs, ctimeNs];
  });
}

const insert = `INSERT OR REPLACE INTO backup_schedule (name, frequency, time_of_day, keep, created_at, updated_at)
  VALUES (?, 'daily', ?, 7, '2025-01-01', '2025-01-01')`;

function inSystem(root: string, action: (database: Database.Database) => void): void {
  const database = new Database(join(root, 'var/system.brain'));
  action(database);
  database.close();
}

/** A site on two file systems: its uploads lie behind a symbolic link. */
async function siteWithUploadsAt(elsewhere: string, more = 0): Promise<{ root: string; id: string; uploads: string }> {
  const root = site();
  const uploads = join(elsewhere, 'uploads');
  cpSync(join(root, 'var/uploads'), uploads, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  writeFileSync(join(uploads, 'more'), Buffer.alloc(more, 7));
  rmSync(join(root, 'var/uploads'), { recursive: true });
  symlinkSync(uploads, join(root, 'var/uploads'));
  const { id } = lastLine(await bkp(['create', '--json'], { cwd: root }));
  return { root, id: String(id), uploads };
}

describe('restore --dry-run', () => {
  it('lists path by path with -v what would be added, changed, replaced, removed and kept', async () => {
    const { root, id } = await siteWithBackup();
    renameSync(join(root, 'var/uploads/leer.txt'), join(root, 'var/uploads/other.txt'));
    const { stdout } = await bkp(['restore', id, '--dry-run', '-v', '--only', 'uploads,user.brain'], { cwd: root });
    const told = stdout
      .split('\n')
      .flatMap((line) => /^ {2}(added|changed|replaced|removed|kept) +(.*)$/.exec(line)?.slice(1) ?? []);
    expect(told.slice(0, 6)).toEqual([
      'replaced',
      'user.brain',
      'added',
      'uploads/leer.txt',
      'removed',
      'uploads/other.txt',
    ]);
    expect(told.slice(6).filter((word) => word === 'kept')).toHaveLength(42);
    expect(told).toContain('uploads/Übersicht.png');
  });

  it('tells which sources the backup does not hold, and of single files only what they touch', async () => {
    const { root, id } = await siteWithBackup('--only', 'uploads,user.brain,snapshots');
    const whole = await bkp(['restore', id, '--dry-run'], { cwd: root });
    expect(whole.stdout).toMatch(/^ +not in backup +system\.brain \(stays as it is\)$/m);
    const single = await bkp(['restore', id, '--dry-run', '--path', 'uploads/leer.txt'], { cwd: root });
    expect(single.stdout).toMatch(/^uploads +0 +0 +0 +1 /m);
    expect(single.stdout).not.toMatch(/^snapshots|does not tell|not in backup/m);
  });

  it('tells which schedules come, go and change with the database', async () => {
    const root = site();
    inSystem(root, (database) => {
      database.exec('DROP TABLE IF EXISTS backup_schedule');
      database.exec(
        'CREATE TABLE backup_schedule (name TEXT PRIMARY KEY, frequency TEXT, time_of_day TEXT, keep INTEGER, created_at TEXT, updated_at TEXT)',
      );
      for (const name of ['same', 'edited', 'lost']) database.prepare(insert).run(name, '03:30');
    });
    const { id } = lastLine(await bkp(['create', '--json'], { cwd: root }));
    inSystem(root, (database) => {
      database.prepare(insert).run('edited', '04:30');
      database.prepare(insert).run('young', '03:30');
      database.exec("DELETE FROM backup_schedule WHERE name = 'lost'");
    });
    const dryRun = ['restore', String(id), '--dry-run'];
    const { stdout } = await bkp(dryRun, { cwd: root });
    expect(stdout).toMatch(/^ +schedules +added lost; changed edited; removed young$/m);
    expect(lastLine(await bkp([...dryRun, '--json'], { cwd: root }))).toMatchObject({
      schedules: { known: true, added: ['lost'], changed: ['edited'], removed: ['young'] },
    });
    const others = await bkp([...dryRun, '--only', 'uploads', '--json'], { cwd: root });
    expect(lastLine(others)).toMatchObject({ schedules: null });
  });

  it('tells who has a database open, opens none itself, and touches nothing', async () => {
    const { root, id } = await siteWithBackup();
    const script = fileURLToPath(new URL('../helpers/sqlite-writer-holding.mjs', import.meta.url));
    const path = join(root, 'var/user.brain');
    const statements = ['PRAGMA journal_mode = WAL', 'CREATE TABLE later (a)'];
    const application = spawn(process.execPath, [script, path, ...statements], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void application.kill('SIGKILL'));
    await once(application.stdout, 'data');
    const before = looks(root);
    const { code, stdout } = await bkp(['restore', id, '--dry-run'], { cwd: root });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^ +in use +${path} by process ${application.pid} \\(.*\\): it must let go first$`, 'm'),
    );
    const { inUse } = lastLine(await bkp(['restore', id, '--dry-run', '--json'], { cwd: root }));
    expect(inUse).toMatchObject([{ path, pid: application.pid }]);
    expect(looks(root)).toEqual(before);
  });

  it('tells by file system what is needed and what is free, and where it stages', async ({ skip }) => {
    const elsewhere = otherFileSystem();
    if (elsewhere === undefined) return skip();
    const { root, id, uploads } = await siteWithUploadsAt(elsewhere);
    const [before, other] = [looks(root), looks(elsewhere)];
    const { stdout } = await bkp(['restore', id, '--dry-run'], { cwd: root });
    const room = /^ +elsewhere +uploads lies on another file system: staged in (\S+)$/m.exec(stdout)?.[1];
    expect(room).toMatch(new RegExp(`^${elsewhere}/\\.bkp-restore-[0-9a-f]{8}$`));
    expect(stdout).toMatch(
      new RegExp(`^ +needs .* beside what is there, about .* backup\\n +free .* at ${root}$`, 'm'),
    );
    expect(stdout).toMatch(new RegExp(`^ +needs .* beside what is there\\n +free .* at ${elsewhere}$`, 'm'));
    const { space } = lastLine(await bkp(['restore', id, '--dry-run', '--json'], { cwd: root }));
    expect(space).toMatchObject([{ folder: root }, { folder: elsewhere, safety: 0 }]);
    expect([looks(root), looks(elsewhere)]).toEqual([before, other]);
    expect(namesIn(uploads)).toContain('leer.txt');
  });
});

describe('a restore that has no space', () => {
  it.for([[], ['--dry-run']])('ends with 13 before anything is written, with %j', async (flags, { skip }) => {
    const elsewhere = tinyFileSystem(1500 * 1024);
    if (elsewhere === undefined) return skip();
    const { root, id } = await siteWithUploadsAt(elsewhere, 800 * 1024);
    const before = [looks(root), looks(elsewhere)];
    const ran = await bkp(['restore', id, '--confirm', id, '--json', ...flags], { cwd: root });
    expect(ran.code).toBe(13);
    expect(lastLine(ran)).toMatchObject({ id: 'no-space', path: elsewhere });
    expect(String(lastLine(ran)['message'])).toMatch(
      /^restoring needs \S+ [KM]iB beside what is there; \S+ [KM]iB free at \S+: \S+ [KM]iB too little$/,
    );
    expect([looks(root), looks(elsewhere)]).toEqual(before);
  });

  it('for the safety backup ends with 13, and goes without one', async ({ skip }) => {
    const storage = tinyFileSystem(1100 * 1024);
    if (storage === undefined) return skip();
    const root = site();
    const at = (...args: string[]) => bkp([...args, '--storage', storage, '--json'], { cwd: root });
    const id = String(lastLine(await at('create'))['id']);
    const ran = await at('restore', id, '--confirm', id);
    expect(ran.code).toBe(13);
    expect(lastLine(ran)).toMatchObject({ id: 'no-space', path: storage });
    expect(lastLine(ran)['message']).toMatch(/, of which about \S+ KiB for the safety backup; /);
    expect(namesIn(storage).filter((name) => name.includes('safety'))).toEqual([]);
    expect(await at('restore', id, '--confirm', id, '--no-safety-backup')).toMatchObject({ code: 0 });
  });
});
