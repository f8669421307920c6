import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bkp, folder, lastLine, namesIn, siteWithBackup } from './cli.js';

describe('bkp restore', () => {
  it.each(['zip', 'tar.gz'])('brings a %s back as it was', async (format) => {
    const { root, id } = await siteWithBackup('--format', format);
    const target = join(folder(), 'deep', 'target');
    const { code, stdout, stderr } = await bkp(['restore', id, '--target', target], { cwd: root });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`${id} is restored; every file was compared with its SHA-256.`);
    expect(stdout).toContain('2 databases');
    execFileSync('diff', ['-r', join(root, 'var', 'uploads'), join(target, 'var', 'uploads')]);
    execFileSync('diff', ['-r', join(root, 'var', 'snapshots'), join(target, 'var', 'snapshots')]);
    expect(namesIn(join(target, 'var'))).toEqual(['snapshots', 'system.brain', 'uploads', 'user.brain']);
  });

  it('takes the archive as a file anywhere, without an instance, and an empty folder', async () => {
    const { file } = await siteWithBackup();
    const target = folder();
    const ran = await bkp(['restore', file, '--target', '.', '--only', 'uploads', '--json'], { cwd: target });
    expect(ran.code).toBe(0);
    expect(lastLine(ran)).toMatchObject({ target, sources: ['uploads'], counts: { files: 42 }, verified: true });
    expect(namesIn(join(target, 'var'))).toEqual(['uploads']);
  });

  it('ends with 3 and names the losses of an incomplete backup', async () => {
    const { root } = await siteWithBackup();
    symlinkSync('/etc/passwd', join(root, 'var', 'uploads', 'out'));
    const { id } = lastLine(await bkp(['create', '--json'], { cwd: root }));
    const target = join(folder(), 'target');
    const { code, stdout, stderr } = await bkp(['restore', String(id), '--target', target], { cwd: root });
    expect(code).toBe(3);
    expect(stdout).toContain('restored, but INCOMPLETE (1 loss)');
    expect(stderr).toContain('warning: uploads/out');
    expect(existsSync(join(target, 'var', 'user.brain'))).toBe(true);
  });

  it('shows with --dry-run each source and its place', async () => {
    const { root } = await siteWithBackup();
    const target = join(folder(), 'target');
    const ran = await bkp(['restore', 'latest', '-n', '--target', target], { cwd: root });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toMatch(/user\.brain +1 +312 KiB +var\/user\.brain/);
    expect(ran.stdout).toContain(`would write to ${target}`);
    expect(existsSync(target)).toBe(false);
  });

  it('shows with --dry-run what is in an archive where no instance is', async () => {
    const { file } = await siteWithBackup();
    const ran = await bkp(['restore', file, '--dry-run'], { cwd: folder() });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toContain('none given: pass --target');
  });

  it('leaves no trace of a damaged archive', async () => {
    const { file } = await siteWithBackup();
    const bytes = readFileSync(file);
    bytes[5000]! ^= 0xff;
    writeFileSync(file, bytes);
    const parent = folder();
    const { code, stderr } = await bkp(['restore', file, '--target', join(parent, 'target')]);
    expect(code).toBe(14);
    expect(stderr).toContain('nothing was restored');
    expect(namesIn(parent)).toEqual([]);
  });

  it('refuses a folder that is not empty', async () => {
    const { root } = await siteWithBackup();
    const target = folder();
    mkdirSync(join(target, 'mine'));
    expect(await bkp(['restore', 'latest', '--target', target], { cwd: root })).toMatchObject({ code: 15 });
    expect(namesIn(target)).toEqual(['mine']);
  });

  it.each([
    { args: [], says: 'no backup is named' },
    { args: ['latest', '--dry-run', '--only', 'nothing'], says: 'holds no source nothing' },
    { args: ['latest', '--target', ''], says: '--target must be a path' },
    { args: ['latest', '--target', 'x', '--owner', 'me'], says: '--owner me does not go with --target' },
    { args: ['latest', '--target', 'x', '--owner', 'target'], says: '--owner target does not go with --target' },
    { args: ['latest', '--owner', 'me'], says: '--owner me is none of' },
    { args: ['latest', '--owner', 'self'], says: '--owner self goes with --target only' },
    { args: ['latest', '--owner', 'no-such-user:0'], says: 'there is no user no-such-user' },
    { args: ['latest', '--path', '../x'], says: '--path' },
    { args: ['latest', '--target', 'x', '--confirm', 'y'], says: '--target and --confirm contradict' },
    { args: ['latest', '--target', 'x', '--no-safety-backup'], says: '--target and --no-safety-backup contradict' },
    { args: ['latest', '--undo'], says: '--undo and a named backup contradict' },
    { args: ['--undo', '--target', 'x'], says: '--undo and --target contradict' },
    { args: ['latest', '--recover'], says: '--recover and a named backup contradict' },
    { args: ['--recover', '--undo'], says: '--recover and --undo contradict' },
    { args: ['--recover', '--dry-run'], says: '--recover and --dry-run contradict' },
    { args: ['--recover', '--only', 'uploads'], says: '--recover and --only contradict' },
    { args: ['--recover', '--no-safety-backup'], says: '--recover and --no-safety-backup contradict' },
  ])('is a usage error: $args', async ({ args, says }) => {
    const { root } = await siteWithBackup();
    const { code, stdout, stderr } = await bkp(['restore', ...args], { cwd: root });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(says);
  });
});
