import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { archivesIn, bkp, controlsIn, folder, jsonLines, lastLine, namesIn, site, storageOf } from './cli.js';

const sourcesOf = async (root: string, ...args: readonly string[]): Promise<readonly unknown[]> => {
  const ran = await bkp(['create', '--dry-run', '--json', ...args], { cwd: root });
  return jsonLines(ran).flatMap(({ type, name }) => (type === 'source' ? [name] : []));
};

describe('bkp create', () => {
  it('makes a backup and says where, how big, its sum and what to run next', async () => {
    const root = site();
    const { code, stdout, stderr } = await bkp(['create'], { cwd: root });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [name] = archivesIn(root);
    const file = join(storageOf(root), name!);
    const id = name!.replace('.zip', '');
    expect(stdout).toContain(`Backup ${id} is complete; every file was read back.`);
    expect(stdout).toContain(file);
    expect(stdout).toMatch(/size +\d+ KiB \(50 files, 807 KiB of content\)/);
    expect(stdout).toContain(createHash('sha256').update(readFileSync(file)).digest('hex'));
    expect(stdout).toContain(`bkp restore ${id} --dry-run`);
    expect(namesIn(storageOf(root)).filter((one) => !one.startsWith('.'))).toEqual([name, `${name}.sha256`]);
  });

  it('is called backup as well', async () => {
    const root = site();
    expect(await bkp(['backup', '--only', 'snapshots', '--json'], { cwd: root })).toMatchObject({ code: 0 });
    expect(archivesIn(root)).toHaveLength(1);
  });

  it('proposes the next command with the flags that lead to the instance', async () => {
    const root = site("it's a site");
    const { stdout } = await bkp(['-C', root, 'create', '--only', 'snapshots']);
    expect(stdout).toMatch(/next +bkp -C '.*it'\\''s a site' restore \S+-manual --dry-run/);
  });

  it('ends with 3 and names the loss where something is missing, and is made all the same', async () => {
    const root = site();
    symlinkSync('/etc/passwd', join(root, 'var', 'uploads', 'out'));
    const { code, stdout, stderr } = await bkp(['create', '--only', 'uploads'], { cwd: root });
    expect(code).toBe(3);
    expect(stdout).toContain('is INCOMPLETE (1 loss)');
    expect(stderr).toMatch(/^warning: uploads\/out: .*\(link-leaves-source\)\n$/);
    expect(archivesIn(root)).toHaveLength(1);
  });

  it('tells the loss with -q, and nothing else; nothing at all where all is well', async () => {
    const root = site();
    expect(await bkp(['create', '-q', '--only', 'uploads'], { cwd: root })).toMatchObject({
      ...{ code: 0, stdout: '', stderr: '' },
    });
    symlinkSync('/etc/passwd', join(root, 'var', 'uploads', 'out'));
    const { code, stdout, stderr } = await bkp(['-q', 'create', '--only', 'uploads'], { cwd: root });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain('uploads/out');
  });

  it('shows at most twenty losses and says where the others are', async () => {
    const root = site();
    for (let n = 0; n < 25; n++) symlinkSync('/etc/passwd', join(root, 'var', 'uploads', `out${n}`));
    const { stderr } = await bkp(['create', '--only', 'uploads'], { cwd: root });
    expect(stderr.match(/^warning: /gm)).toHaveLength(20);
    expect(stderr).toMatch(/^and 5 more \(see `bkp show \S+-manual`\)$/m);
  });

  it('tells a line per step with -v on standard error, and notes', async () => {
    const root = site();
    execFileSync('mkfifo', [join(root, 'var', 'uploads', 'pipe')]);
    const quiet = await bkp(['create', '--only', 'uploads'], { cwd: root });
    expect(quiet).toMatchObject({ code: 0, stderr: '1 note (-v shows them)\n' });
    const { stderr } = await bkp(['create', '-v'], { cwd: root });
    expect(stderr).toContain('copied 2 databases\n');
    expect(stderr).toMatch(/note: uploads\/pipe: .*\(special-file\)/);
  });

  it('cannot be made to write escape sequences by a name', async () => {
    const root = site();
    symlinkSync('/etc/passwd', join(root, 'var', 'uploads', 'a\x1b[31mred\nline\u202e'));
    const { stderr } = await bkp(['create', '--only', 'uploads'], { cwd: root });
    expect(stderr).toContain('uploads/a\\x1b[31mred\\x0aline\\u202e: ');
    expect(controlsIn(stderr)).toEqual([]);
  });

  it('ends with 1 and leaves nothing where nothing can be read', async () => {
    const root = site();
    rmSync(join(root, 'var', 'uploads'), { recursive: true });
    const ran = await bkp(['create', '--only', 'uploads', '--json'], { cwd: root });
    expect(ran.code).toBe(1);
    expect(lastLine(ran)).toMatchObject({ type: 'error', id: 'nothing-readable', exitCode: 1 });
    expect(existsSync(storageOf(root))).toBe(false);
  });
});

describe('the sources of a backup', () => {
  it('are those that are on', async () => {
    expect(await sourcesOf(site())).toEqual(['system.brain', 'user.brain', 'snapshots', 'uploads']);
  });

  it('are changed by scope', async () => {
    const root = site();
    expect(await sourcesOf(root, '--no-databases', '--no-snapshots')).toEqual(['uploads']);
    expect(await sourcesOf(root, '--no-uploads', '--with-config')).toEqual([
      'system.brain',
      'user.brain',
      'snapshots',
      'config',
    ]);
  });

  it('are exactly those that --only names', async () => {
    expect(await sourcesOf(site(), '--only', 'config,user.brain')).toEqual(['user.brain', 'config']);
  });

  it('are recorded with those left out', async () => {
    const root = site();
    const ran = await bkp(['create', '--no-databases', '--json'], { cwd: root });
    expect(lastLine(ran)).toMatchObject({ leftOut: ['system.brain', 'user.brain', 'config'] });
  });
});

describe('bkp create --output', () => {
  it.each(['a.zip', 'a.tar.gz', 'a.tgz'])('writes %s and its sum, and nothing into the storage', async (name) => {
    const root = site();
    const out = folder();
    const ran = await bkp(['create', '-C', root, '-o', name, '--only', 'uploads', '--json'], { cwd: out });
    expect(ran.code).toBe(0);
    expect(lastLine(ran)).toMatchObject({ file: join(out, name), format: name.endsWith('zip') ? 'zip' : 'tar.gz' });
    expect(namesIn(out)).toEqual([name, `${name}.sha256`]);
    expect(existsSync(storageOf(root))).toBe(false);
    expect(execFileSync('sha256sum', ['-c', `${name}.sha256`], { cwd: out, encoding: 'utf8' })).toContain('OK');
  });

  it('lets the ending win over the configured format, and proposes the path', async () => {
    const root = site();
    const { code, stdout, stderr } = await bkp(['create', '--only', 'uploads', '-o', 'x.tgz'], {
      cwd: root,
      env: { BKP_FORMAT: 'zip' },
    });
    expect(code).toBe(0);
    expect(stdout).toContain(`bkp restore ${join(root, 'x.tgz')} --dry-run`);
    expect(stderr).not.toContain('note:');
  });

  it('warns of a place in what is backed up', async () => {
    const root = site();
    const out = ['--only', 'snapshots', '-o', 'var/uploads/x.zip'];
    const held = await bkp(['create', ...out], { cwd: root });
    expect(held.code).toBe(0);
    expect(held.stderr).toMatch(/^note: the archive lies in the source uploads: the next backup would hold it/);
  });

  it('never overwrites', async () => {
    const root = site();
    writeFileSync(join(root, 'x.zip'), 'mine');
    expect(await bkp(['create', '-o', 'x.zip'], { cwd: root })).toMatchObject({ code: 15, stdout: '' });
    expect(readFileSync(join(root, 'x.zip'), 'utf8')).toBe('mine');
  });
});

describe('bkp create --dry-run', () => {
  it('writes nothing', async () => {
    const root = site();
    const before = execFileSync('find', [root, '-printf', '%p %T@ %s\n'], { encoding: 'utf8' });
    const { code, stdout } = await bkp(['create', '-n'], { cwd: root });
    expect(code).toBe(0);
    expect(stdout).toMatch(/uploads +42 +244 KiB +uploads/);
    expect(stdout).toContain('Nothing was written');
    expect(execFileSync('find', [root, '-printf', '%p %T@ %s\n'], { encoding: 'utf8' })).toBe(before);
  });

  it('ends with what the backup would end with', async () => {
    const root = site();
    rmSync(join(root, 'var', 'snapshots'), { recursive: true });
    expect(await bkp(['create', '-n'], { cwd: root })).toMatchObject({ code: 3 });
    expect(await bkp(['create', '-n', '--only', 'snapshots'], { cwd: root })).toMatchObject({ code: 1 });
  });
});

describe('bkp create used badly', () => {
  it.each([
    { args: ['--only', 'uplods'], says: 'no source uplods', hint: 'Did you mean uploads?' },
    { args: ['--only', 'uploads', '--no-uploads'], says: '--only and --no-uploads contradict' },
    { args: ['--only', 'uploads', '--with-config'], says: '--only and --with-config contradict' },
    { args: ['--only', 'uploads,,user.brain'], says: 'empty name' },
    { args: ['--no-databases', '--no-uploads', '--no-snapshots'], says: 'nothing is left to back up' },
    { args: ['-o', 'x.rar'], says: 'what format' },
    { args: ['-o', '.zip'], says: 'what format' },
    { args: ['-o', 'x.zip', '--format', 'tar.gz'], says: 'contradicts' },
    { args: ['--format', 'rar'], says: 'error: --format must be zip or tar.gz', hint: 'described by --help' },
    { args: ['-l', '10'], says: '--level must be' },
    { args: ['--exclude', '/etc'], says: '--exclude must be relative' },
    { args: ['--comment', 'two\nlines'], says: 'one line' },
    { args: ['--comment', ' '], says: 'one line' },
    { args: ['--lock-wait', 'soon'], says: '--lock-wait' },
  ])('is a usage error and does nothing: $args', async ({ args, says, hint }) => {
    const root = site();
    const { code, stdout, stderr } = await bkp(['create', ...args], { cwd: root });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(says);
    expect(stderr).toMatch(/^hint: /m);
    if (hint !== undefined) expect(stderr).toContain(hint);
    expect(existsSync(storageOf(root))).toBe(false);
  });

  it('tells that the output has no folder, and makes none', async () => {
    const root = site();
    const { code } = await bkp(['create', '-o', 'no/such/x.zip'], { cwd: root });
    expect(code).toBe(1);
    expect(existsSync(join(root, 'no'))).toBe(false);
  });

  it('tells that the storage is a file', async () => {
    const root = site();
    mkdirSync(join(root, 'var'), { recursive: true });
    writeFileSync(storageOf(root), '');
    const { code, stderr } = await bkp(['create'], { cwd: root });
    expect(code).toBe(1);
    expect(stderr).toContain(storageOf(root));
  });
});
