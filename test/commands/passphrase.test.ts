import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { archivesIn, binary, bkp, folder, jsonLines, lastLine, site, siteWithBackup, storageOf } from './cli.js';

const secret = 'correct horse battery staple';

/** A passphrase file, for its owner alone. */
function passphraseFile(content = secret, mode = 0o600): string {
  const path = join(folder(), 'passphrase');
  writeFileSync(path, content, { mode });
  chmodSync(path, mode);
  return path;
}

describe('bkp create --encrypt', () => {
  it('ends with 12 where nobody can be asked, says what to pass, and makes nothing', async () => {
    const root = site();
    const { code, stdout, stderr } = await bkp(['create', '--encrypt'], { cwd: root });
    expect({ code, stdout }).toEqual({ code: 12, stdout: '' });
    expect(stderr).toMatch(/^error: there is no passphrase, and nobody to ask for one\nhint: /);
    for (const way of ['--passphrase-file', '--passphrase-command', 'BKP_PASSPHRASE_FILE', 'encryption.passphraseFile'])
      expect(stderr).toContain(way);
    const empty = await bkp(['create', '--encrypt'], { cwd: root, env: { BKP_PASSPHRASE: '' } });
    expect(empty.code).toBe(12);
    expect(empty.stderr).toContain('BKP_PASSPHRASE is set, but empty');
    expect(existsSync(storageOf(root))).toBe(false);
  });

  it('takes the passphrase from the highest level alone', async () => {
    const root = site();
    const touched = join(folder(), 'touched');
    const env = { BKP_PASSPHRASE_COMMAND: JSON.stringify(['touch', touched]) };
    const file = ['--passphrase-file', passphraseFile()];
    expect((await bkp(['create', '--encrypt', ...file], { cwd: root, env })).code).toBe(0);
    expect(existsSync(touched)).toBe(false);
    // That command prints nothing.
    const ran = await bkp(['create', '--encrypt', '--json'], { cwd: root, env });
    expect(lastLine(ran)).toMatchObject({ id: 'passphrase-missing', exitCode: 12 });
    expect(existsSync(touched)).toBe(true);
  });

  it('does as the configuration says, and not with --no-encrypt', async () => {
    const root = site();
    writeFileSync(join(root, '.backuprc'), 'encryption: { enabled: true, passphraseFile: gone }\n', { mode: 0o600 });
    const ran = await bkp(['create', '--json'], { cwd: root });
    expect(lastLine(ran)).toMatchObject({ id: 'passphrase-missing', path: join(root, 'gone') });
    expect((await bkp(['create', '--no-encrypt', '-q'], { cwd: root })).code).toBe(0);
    expect(archivesIn(root)).toHaveLength(1);
  });

  it('warns about a short passphrase and one that others can read, in text and in JSON, and not with -q', async () => {
    const root = site();
    const args = ['create', '--encrypt', '--only', 'system.brain', '--passphrase-file', passphraseFile('short', 0o644)];
    const { code, stderr } = await bkp(args, { cwd: root });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^note: the passphrase file .* is open to other users \(mode 0644\): chmod 600 closes it$/m);
    expect(stderr).toMatch(/^note: the passphrase has fewer than 12 characters: it can be guessed$/m);
    const told = jsonLines(await bkp([...args, '--json'], { cwd: root })).filter(({ type }) => type === 'finding');
    expect(told.map(({ id, kind }) => [id, kind])).toEqual([
      ['passphrase-exposed', 'note'],
      ['passphrase-short', 'note'],
    ]);
    expect(await bkp([...args, '-q'], { cwd: root })).toMatchObject({ code: 0, stderr: '' });
  });

  it.each([
    { args: ['--encrypt', '--format', 'tar.gz'], says: 'only a zip can be encrypted, and --format says tar.gz' },
    { args: ['--encrypt', '-o', 'x.tgz'], says: 'only a zip can be encrypted, and --output x.tgz says tar.gz' },
    { args: ['--passphrase-file', 'x'], says: '--passphrase-file was given, but this backup is not to be encrypted' },
    { args: ['--hint', 'safe', '--no-encrypt'], says: '--hint and --no-encrypt contradict each other' },
    { args: ['--encrypt', '--hint', 'two\nlines'], says: '--hint must be a text of one line' },
    {
      args: ['--encrypt', '--hint', `it is ${secret}`],
      says: 'the hint holds the passphrase itself',
      variable: secret,
    },
    { args: ['--encrypt'], says: 'has 100 bytes; with more than 99, 7-Zip', variable: 'x'.repeat(100), code: 12 },
    { args: ['--passphrase-file', 'a', '--passphrase-command', 'b'], says: 'cannot be given beside --passphrase-file' },
    { args: [`--passphrase=${secret}`], says: 'a passphrase is never an argument' },
    { args: ['--passphrase', secret], says: 'a passphrase is never an argument' },
  ])('is refused, and shows no passphrase: $args', async ({ args, says, variable = '', code = 2 }) => {
    const root = site();
    const ran = await bkp(['create', ...args], { cwd: root, env: { BKP_PASSPHRASE: variable } });
    expect(ran).toMatchObject({ code, stdout: '' });
    expect(ran.stderr).toContain(says);
    expect(ran.stderr).not.toContain(secret);
    expect(existsSync(storageOf(root))).toBe(false);
  });

  it('names --no-encrypt where a flag wants a tar.gz and the configuration encryption', async () => {
    const root = site();
    writeFileSync(join(root, '.backuprc'), 'encryption: { enabled: true }\n', { mode: 0o600 });
    for (const [args, env, place] of [
      [['--format', 'tar.gz'], {}, '--format'],
      [['-o', 'x.tar.gz'], {}, '--output x.tar.gz'],
      [[], { BKP_FORMAT: 'tar.gz' }, 'BKP_FORMAT'],
    ] as const) {
      const { code, stderr } = await bkp(['create', ...args], { cwd: root, env });
      expect(code).toBe(2);
      expect(stderr).toContain(`${place} says tar.gz, while the configuration turns encryption on`);
      expect(stderr).toMatch(/^hint: .*--no-encrypt/m);
    }
  });

  it('asks nothing and runs nothing for a dry run, which says that it would be encrypted', async () => {
    const root = site();
    const touched = join(folder(), 'touched');
    const args = ['create', '-n', '--encrypt', '--passphrase-command', JSON.stringify(['touch', touched])];
    const { code, stdout } = await bkp(args, { cwd: root });
    expect(code).toBe(0);
    expect(stdout).toMatch(/goes to .*\(zip, encrypted\)/);
    expect(lastLine(await bkp([...args, '--json'], { cwd: root }))).toMatchObject({ encrypted: true });
    expect(existsSync(touched)).toBe(false);
  });
});

describe.runIf(existsSync('/proc/self/environ'))('a passphrase in the environment', () => {
  const env = { BKP_PASSPHRASE: secret };

  it('is in no environment and no argument of a process that bkp starts', async () => {
    const root = site();
    writeFileSync(join(root, 'var', 'uploads', 'large'), randomBytes(8_000_000));
    const child = spawn(process.execPath, [binary, 'create', '-o', '-', '--encrypt'], {
      cwd: root,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      // Nobody reads: it waits, and its children with it.
      await once(child.stdout, 'readable');
      const children = childrenOf(child.pid ?? 0);
      expect(children.length).toBeGreaterThan(0);
      for (const pid of children) {
        const seen = ['environ', 'cmdline'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1')).join('');
        expect(seen).toContain('PATH=');
        expect(seen).not.toMatch(/PASSPHRASE|correct horse/);
      }
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('is not handed to a hook, nor anything else that tells of one', async () => {
    const { root, id } = await siteWithBackup();
    const dump = 'env > "$PWD/seen"; cat /proc/$$/cmdline >> "$PWD/seen"; ls -l /proc/$$/fd >> "$PWD/seen"';
    writeFileSync(join(root, '.backuprc'), JSON.stringify({ hooks: { beforeRestore: dump } }), { mode: 0o600 });
    const ran = await bkp(['restore', id, '--confirm', id, '-q'], { cwd: root, env });
    expect(ran.code).toBe(0);
    const seen = readFileSync(join(root, 'seen'), 'utf8');
    expect(seen).toContain('BKP_HOOK_EVENT=beforeRestore');
    expect(seen).not.toMatch(/PASSPHRASE|correct horse/);
  });
});

/** All processes below one. */
function childrenOf(pid: number): readonly string[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const own = tasks.flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').match(/\d+/g) ?? []);
  return own.flatMap((one) => [one, ...childrenOf(Number(one))]);
}
