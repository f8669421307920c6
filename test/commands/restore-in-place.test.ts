import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, lstatSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bkp, folder, lastLine, namesIn, siteWithBackup, storageOf } from './cli.js';

const sources = ['system.brain', 'user.brain', 'uploads', 'snapshots'];

/** Every file and folder below, by what changes when somebody only so much as touches it. */
function everything(path: string): Readonly<Record<string, string>> {
  const found = lstatSync(path, { bigint: true });
  const about = [found.ino, found.mode, found.size, found.mtimeNs, found.ctimeNs].join(' ');
  const names = found.isDirectory() ? readdirSync(path) : [];
  return Object.assign({ [path]: about }, ...names.map((name) => everything(join(path, name)))) as Record<
    string,
    string
  >;
}

/** The live data alone: what a restore that was refused must not have touched. */
const liveState = (root: string) => sources.map((name) => everything(join(root, 'var', name)));

/** Changes something in every source. */
function change(root: string): void {
  for (const name of ['system.brain', 'user.brain']) {
    const database = new Database(join(root, 'var', name));
    database.exec('CREATE TABLE later (a); INSERT INTO later VALUES (1)');
    database.close();
  }
  writeFileSync(join(root, 'var', 'uploads', 'later.txt'), 'later');
  rmSync(join(root, 'var', 'uploads', 'Übersicht.png'));
  rmSync(join(root, 'var', 'snapshots', 'musikschule'), { recursive: true });
}

const copyOf = (root: string): string => {
  const copy = join(folder(), 'copy');
  cpSync(join(root, 'var'), copy, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  return copy;
};

/** The instance's data is what it was when the copy was made. */
function expectAs(root: string, copy: string): void {
  for (const name of ['uploads', 'snapshots']) execFileSync('diff', ['-r', join(copy, name), join(root, 'var', name)]);
  for (const name of ['system.brain', 'user.brain']) {
    expect(rowsOf(join(root, 'var', name))).toEqual(rowsOf(join(copy, name)));
  }
}

/** All that a sound database holds, by table. */
function rowsOf(path: string): unknown {
  const database = new Database(path, { readonly: true });
  try {
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all();
    return tables.map((table) => [
      table,
      database
        .prepare(`SELECT * FROM "${String(table)}"`)
        .raw()
        .all(),
    ]);
  } finally {
    database.close();
  }
}

describe('bkp restore in place', () => {
  it('shows with --dry-run what it would change, path by path with -v, and touches nothing', async () => {
    const { root, id } = await siteWithBackup();
    change(root);
    const before = everything(root);
    const { code, stdout, stderr } = await bkp(['restore', 'latest', '--dry-run', '-v'], { cwd: root });
    expect({ code, error: stderr.includes('error') }).toEqual({ code: 0, error: false });
    expect(stdout).toContain(`Restoring ${id} in place, in ${root}:`);
    expect(stdout).toMatch(/^uploads +1 +0 +0 +1 +42 +var\/uploads$/m);
    expect(stdout).toMatch(/^snapshots +2 +0 +0 +0 +4 +var\/snapshots$/m);
    expect(stdout).toMatch(/^user\.brain +0 +0 +1 +0 +0 +var\/user\.brain$/m);
    for (const line of ['added    uploads/Übersicht.png', 'removed  uploads/later.txt', 'replaced user.brain']) {
      expect(stdout).toContain(line);
    }
    expect(stdout).toMatch(
      /needs +\S+ KiB beside what is there, about \S+ KiB for the safety backup\n +free +\S+ \S+ at \S+\n/,
    );
    expect(everything(root)).toEqual(before);
  });

  it('refuses with 15 without the right confirmation, says which, and touches nothing', async () => {
    const { root, id } = await siteWithBackup();
    change(root);
    const before = everything(root);
    const missing = await bkp(['restore', 'latest'], { cwd: root });
    expect(missing).toMatchObject({ code: 15, stdout: '' });
    expect(missing.stderr).toContain('ADDED');
    expect(missing.stderr).toMatch(new RegExp(`hint: .*--confirm ${id}`));
    for (const wrong of ['latest', id.slice(0, -1), '']) {
      const ran = await bkp(['restore', 'latest', '--confirm', wrong, '--json'], { cwd: root });
      expect(ran).toMatchObject({ code: 15, stderr: '' });
      expect(lastLine(ran)).toMatchObject({ id: 'confirmation-missing', hint: `Pass --confirm ${id}.` });
    }
    expect(await bkp(['restore', '--undo'], { cwd: root })).toMatchObject({ code: 10, stdout: '' });
    expect(everything(root)).toEqual(before);
  });

  it('brings the backup back, with a safety backup that verifies and that --undo puts back', async () => {
    const { root, id } = await siteWithBackup();
    const original = copyOf(root);
    change(root);
    const changed = copyOf(root);
    const ran = await bkp(['restore', 'latest', '--confirm', id], { cwd: root });
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain(`${id} is restored; every file was compared with its SHA-256.`);
    const safety = /safety backup +(\S+-safety)/.exec(ran.stdout)?.[1] ?? '';
    expect(ran.stdout).toContain('to undo it     bkp restore --undo');
    expectAs(root, original);
    expect(namesIn(root)).toEqual(['.env', '.env.local', 'var']);
    expect(await bkp(['verify', safety], { cwd: root })).toMatchObject({ code: 0 });

    expect(await bkp(['restore', '--undo', '--confirm', id], { cwd: root })).toMatchObject({ code: 15 });
    const undone = await bkp(['restore', '--undo', '--confirm', safety, '--json'], { cwd: root });
    expect(undone).toMatchObject({ code: 0, stderr: '' });
    expect(lastLine(undone)).toMatchObject({
      command: 'restore',
      id: safety,
      inPlace: true,
      outcome: 'restored',
      target: root,
      sources: ['system.brain', 'user.brain', 'snapshots', 'uploads'],
      complete: true,
      verified: true,
      kept: [],
      unexpected: [],
    });
    const { safety: second } = lastLine(undone);
    expect(second).toMatchObject({ complete: true, id: expect.stringMatching(/-safety$/) as string });
    expectAs(root, changed);
    expect(namesIn(root)).toEqual(['.env', '.env.local', 'var']);
  });

  it('touches with --only nothing but what is named', async () => {
    const { root, id } = await siteWithBackup();
    change(root);
    const others = () => ['system.brain', 'user.brain', 'snapshots'].map((name) => everything(join(root, 'var', name)));
    const before = others();
    const ran = await bkp(['restore', id, '--only', 'uploads', '--confirm', id, '--json'], { cwd: root });
    expect(ran.code).toBe(0);
    expect(lastLine(ran)).toMatchObject({
      sources: ['uploads'],
      changes: [{ source: 'uploads', added: 1, changed: 0, replaced: 0, removed: 1, kept: 42 }],
    });
    expect(others()).toEqual(before);
    expect(namesIn(join(root, 'var', 'uploads'))).not.toContain('later.txt');
  });

  it('keeps the old state aside and names it with --no-safety-backup', async () => {
    const { root, id } = await siteWithBackup();
    change(root);
    const ran = await bkp(['restore', id, '--no-safety-backup', '--confirm', id, '-q', '--json'], { cwd: root });
    const { safety, kept } = lastLine(ran) as unknown as { safety: null; kept: { path: string }[] };
    expect({ code: ran.code, safety }).toEqual({ code: 0, safety: null });
    const later = kept.find(({ path }) => path.endsWith('later.txt'));
    expect(readFileSync(later?.path ?? '', 'utf8')).toBe('later');
  });

  it('ends with 3 where the archive lacks something', async () => {
    const { root } = await siteWithBackup();
    symlinkSync('/etc/passwd', join(root, 'var', 'uploads', 'out'));
    const id = String(lastLine(await bkp(['create', '--json'], { cwd: root }))['id']);
    expect(await bkp(['restore', id, '--dry-run'], { cwd: root })).toMatchObject({ code: 3 });
    const { code, stdout, stderr } = await bkp(['restore', id, '--confirm', id], { cwd: root });
    expect(code).toBe(3);
    expect(stdout).toContain('restored, but INCOMPLETE (1 loss)');
    expect(stderr.match(/warning: uploads\/out/g)).toHaveLength(1);
  });

  it('ends with 14 on a damaged archive, and touches nothing', async () => {
    const { root, id, file } = await siteWithBackup();
    change(root);
    const bytes = readFileSync(file);
    bytes[5000]! ^= 0xff;
    writeFileSync(file, bytes);
    rmSync(`${file}.sha256`);
    const before = liveState(root);
    const { code, stderr } = await bkp(['restore', id, '--confirm', id], { cwd: root });
    expect(code).toBe(14);
    expect(stderr).toContain('nothing was restored');
    expect(liveState(root)).toEqual(before);
    expect(namesIn(root)).toEqual(['.env', '.env.local', 'var']);
  });

  it('ends with 15 while an application has a database open, and touches nothing', async () => {
    const { root, id } = await siteWithBackup();
    change(root);
    const sqlite = createRequire(import.meta.url).resolve('better-sqlite3');
    const code = `const db = new (require(${JSON.stringify(sqlite)}))(process.argv[1]);
      db.prepare('SELECT count(*) FROM sqlite_schema').get(); console.log('open'); setInterval(() => db, 1000);`;
    const application = spawn(process.execPath, ['-e', code, join(root, 'var', 'user.brain')]);
    onTestFinished(() => void application.kill());
    await once(application.stdout, 'data');
    const before = liveState(root);
    const ran = await bkp(['restore', id, '--confirm', id], { cwd: root });
    expect(ran).toMatchObject({ code: 15, stdout: '' });
    expect(ran.stderr).toContain(`user.brain by process ${String(application.pid)}`);
    expect(liveState(root)).toEqual(before);
    expect(namesIn(root)).toEqual(['.env', '.env.local', 'var']);
    expect(namesIn(storageOf(root)).filter((name) => name.includes('safety'))).toEqual([]);
  });
});
