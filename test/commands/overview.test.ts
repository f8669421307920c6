import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bkp, folder, jsonLines, lastLine, site, siteWithBackup, storageOf } from './cli.js';

/** The commands that are proposed, without the name of the program and the flags for its place. */
const proposed = (stdout: string): readonly string[] =>
  [...stdout.matchAll(/^ {2}bkp(?: -C \S+)? (\S.*?) {2,}/gm)].map(([, words]) => words ?? '');

describe('bkp without a command', () => {
  it('tells of an instance how it is, and three commands to go on with', async () => {
    const { root, id } = await siteWithBackup();
    const ran = await bkp(['-C', root]);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^The backups of site are healthy\.\n/);
    expect(ran.stdout).toContain(`last good  ${id}, `);
    expect(ran.stdout).toContain('next run   none: there is no schedule');
    const [schedule = '', ...others] = proposed(ran.stdout);
    expect([schedule, ...others]).toEqual([
      'schedule set daily --every daily --at 03:30 --keep 7',
      'create',
      'restore latest --dry-run',
    ]);
    // They are to be copied.
    expect(await bkp(['-C', root, ...schedule.split(' ')])).toMatchObject({ code: 0 });
    const later = await bkp([], { cwd: root, env: { TZ: 'UTC' } });
    expect(later.stdout).toMatch(/next run {3}daily, \d{4}-\d\d-\d\d 03:30 UTC/);
    expect(proposed(later.stdout)).toEqual(['create', 'restore latest --dry-run', 'status']);
  });

  it('ends with 16 where something is wrong, as status does, and names what helps first', async () => {
    const root = site();
    const ran = await bkp([], { cwd: root });
    expect(ran).toMatchObject({ code: 16, stderr: '' });
    expect(ran.stdout).toContain('fault: there is no complete backup (no-backup)');
    expect(proposed(ran.stdout).slice(0, 2)).toEqual(['create --dry-run', 'create']);
    const json = await bkp(['--json'], { cwd: root });
    expect(json).toMatchObject({ code: 16, stderr: '' });
    expect(jsonLines(json).map(({ type }) => type)).toContain('problem');
    expect(lastLine(json)).toMatchObject({ type: 'summary', command: 'status', exitCode: 16 });
    mkdirSync(storageOf(root));
    rmSync(join(root, 'var/uploads'), { recursive: true });
    await bkp(['create', '-q'], { cwd: root });
    const { stdout } = await bkp([], { cwd: root });
    expect(proposed(stdout)[0]).toBe('create --dry-run');
    expect(stdout).toMatch(/^ {2}bkp create {2,}make a complete one$/m);
    expect(stdout).not.toContain('first');
  });

  it('says where to begin outside of an instance', async () => {
    const cwd = folder();
    const { code, stdout, stderr } = await bkp([], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`no application was found in ${cwd} or above`);
    expect(stderr).toMatch(/`bkp init`.*`bkp --help`/);
    expect((await bkp(['-C', join(cwd, 'nowhere')])).stderr).toContain('Check -C');
  });
});
