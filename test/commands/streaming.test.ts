import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tinyFileSystem } from '../helpers/surroundings.js';
import { matching } from '../sqlite/databases.js';
import { binary, bkp, folder, lastLine, site, storageOf, type Line } from './cli.js';

interface Streamed {
  readonly status: number | null;
  /** What standard output was. */
  readonly stdout: string;
  readonly stderr: string;
  readonly out: string;
}

/** A line of bash in a site, in which `bkp` is the built command line and `$out` a new folder; nothing may be left in TMPDIR. */
function shell(line: string, root: string, env: Readonly<Record<string, string>> = {}): Streamed {
  const out = folder();
  const temporary = folder();
  const script = `bkp() { "${process.execPath}" "${binary}" "$@"; }; ${line}`;
  const ran = spawnSync('bash', ['--norc', '-c', script], {
    cwd: root,
    env: { PATH: process.env['PATH'], TMPDIR: temporary, out, ...env },
    encoding: 'utf8',
  });
  expect(readdirSync(temporary)).toEqual([]);
  return { ...ran, out };
}

const linesOf = (text: string): readonly Line[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

describe('bkp create -o -', () => {
  it.each([
    { options: '', name: 'a.zip' },
    { options: '--format tar.gz', name: 'a.tar.gz' },
  ])(
    'streams an archive that verify accepts ($name), and tells the rest on standard error',
    async ({ options, name }) => {
      const root = site();
      const { stdout, stderr, out } = shell(
        `bkp create -o - ${options} | cat > $out/${name}; echo \${PIPESTATUS[*]}`,
        root,
      );
      expect(stdout).toBe('0 0\n');
      expect(stderr).toMatch(/^Backup \S+-manual is complete; it was streamed, and nothing of it was read back\.\n/);
      expect(stderr).toMatch(/\n {2}file +standard output\n/);
      expect(existsSync(storageOf(root))).toBe(false);
      expect(await bkp(['verify', join(out, name)])).toMatchObject({ code: 0, stdout: matching(/^intact /) });
    },
  );

  it('tells JSON lines on standard error, verified: false, the first one is start', () => {
    const { stderr, out, status } = shell('bkp create -o - --json --no-databases > $out/a.zip', site());
    expect(status).toBe(0);
    const lines = linesOf(stderr);
    expect(lines[0]).toMatchObject({ type: 'start', command: 'create' });
    expect(lines.at(-1)).toMatchObject({ type: 'summary', file: null, verified: false, complete: true, exitCode: 0 });
    const sum = spawnSync('sha256sum', [join(out, 'a.zip')], { encoding: 'utf8' }).stdout;
    expect(sum).toContain(String(lines.at(-1)?.['sha256']));
  });

  it.each(['create -o - --no-such-option --json', 'create -o- --json -C /no/such'])(
    'tells no error into the archive: %s',
    (line) => {
      const { stdout, stderr, status } = shell(`bkp ${line}`, site());
      expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
      expect(linesOf(stderr).at(-1)).toMatchObject({ type: 'error', exitCode: 2 });
    },
  );

  it('ends with 3 and names the loss', async () => {
    const root = site();
    symlinkSync('/etc/passwd', join(root, 'var', 'uploads', 'out'));
    const { stderr, status, out } = shell('bkp create -o - -q --no-databases > $out/a.zip', root);
    expect(status).toBe(3);
    expect((await bkp(['verify', '-q', join(out, 'a.zip')])).code).toBe(3);
    expect(stderr).toMatch(/^warning: uploads\/out: .*\(link-leaves-source\)\n/);
  });

  it('ends with 1 where its reader goes away, without a stack', () => {
    const root = site();
    writeFileSync(join(root, 'var', 'uploads', 'large'), randomBytes(2_000_000));
    const { stdout, stderr } = shell(
      'bkp create -o - --no-databases | head -c 1000 > $out/a.zip; echo "${PIPESTATUS[0]}"',
      root,
    );
    expect(stdout).toBe('1\n');
    expect(stderr).toBe(
      'error: the reader of standard output went away before the archive was whole (EPIPE)\n' +
        'hint: What was written there is no backup: delete it.\n',
    );
  });

  it.runIf(existsSync('/dev/full'))('ends with 13 where what takes it is full', () => {
    const { status, stderr } = shell('bkp create -o - --no-databases > /dev/full', site());
    expect(status).toBe(13);
    expect(stderr).toMatch(/^error: standard output could not take the whole archive: ENOSPC.*\nhint: .*\n$/);
  });

  it('ends with 13 where the temporary folder is full', (context) => {
    const temporary = tinyFileSystem(256 * 1024);
    if (temporary === undefined) return context.skip();
    const { status, stderr } = shell('bkp create -o - > $out/a.zip', site(), { TMPDIR: temporary });
    expect(status).toBe(13);
    expect(stderr).toMatch(/^error: no space left/);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('has nothing to read back with --quick-check', () => {
    const { status, stdout, stderr } = shell('bkp create -o - --quick-check', site());
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('--quick-check and --output - contradict each other');
  });

  it('shows a dry run where every dry run is shown', () => {
    const { status, stdout, stderr } = shell('bkp create -o - -n', site());
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/goes to +standard output \(zip\)\nNothing was written/);
  });

  it('leaves out the file that it is sent to', async () => {
    const root = site();
    const file = join(root, 'var', 'uploads', 'own.zip');
    expect(shell(`bkp create -o - -q > ${file}`, root).status).toBe(0);
    expect((await bkp(['verify', file])).stdout).toContain('50 files (807 KiB) and 2 databases proven');
    expect((await bkp(['show', '--files', file])).stdout).not.toContain('own.zip\n');
  });

  it('takes no part of its own copies in where TMPDIR lies in a source', async () => {
    const root = site();
    const temporary = join(root, 'var', 'uploads', 'tmp');
    mkdirSync(temporary);
    const { status, out } = shell('bkp create -o - -q > $out/a.zip', root, { TMPDIR: temporary });
    expect(status).toBe(0);
    const { stdout } = await bkp(['show', join(out, 'a.zip'), '--files']);
    expect(stdout).toContain('uploads/tmp');
    expect(stdout).not.toContain('bkp-stream');
  });
});

describe('a reader that does not read', () => {
  it.each([
    { signal: 'SIGINT', code: 130, format: 'zip' },
    { signal: 'SIGTERM', code: 143, format: 'tar.gz' },
    { signal: 'SIGHUP', code: 129, format: 'zip' },
  ] as const)('keeps $signal from nothing: $code, and nothing is left behind', async ({ signal, code, format }) => {
    const root = site();
    writeFileSync(join(root, 'var', 'uploads', 'large'), randomBytes(10_000_000));
    const temporary = folder();
    const env = { PATH: process.env['PATH'], TMPDIR: temporary };
    const child = spawn(process.execPath, [binary, 'create', '-o', '-', '--format', format], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    // The pipe has a little of the archive: the next write waits for somebody to read.
    await once(child.stdout, 'readable');
    expect(readdirSync(temporary)).not.toEqual([]);
    child.kill(signal);
    const [exitCode] = (await once(child, 'exit')) as [number];
    expect(exitCode).toBe(code);
    expect(stderr).toMatch(/^error: .*\nhint: What standard output got is no backup: delete it\.\n$/);
    expect(readdirSync(temporary)).toEqual([]);
    child.stdout.destroy();
  });
});

describe('read-only mode', () => {
  it.each([
    { how: 'a variable', env: { BKP_READ_ONLY: '1' }, file: '' },
    { how: 'the configuration', env: {}, file: 'readOnly: true\n' },
  ])('of $how streams what would go into the storage', ({ env, file }) => {
    const root = site();
    writeFileSync(join(root, '.backuprc'), `${file}level: 1\n`, { mode: 0o600 });
    const { status, stderr, out } = shell('bkp create --json --no-databases > $out/a.zip', root, env);
    expect(status).toBe(0);
    expect(linesOf(stderr)[0]).toMatchObject({ type: 'start' });
    expect(linesOf(stderr).at(-1)).toMatchObject({ file: null, verified: false });
    expect(existsSync(storageOf(root))).toBe(false);
    expect(readFileSync(join(out, 'a.zip')).subarray(0, 2).toString()).toBe('PK');
  });

  it('writes a file as ever, and can be turned off by the variable', async () => {
    const root = site();
    writeFileSync(join(root, '.backuprc'), 'readOnly: true\n', { mode: 0o600 });
    const file = join(folder(), 'a.zip');
    const named = await bkp(['create', '-o', file, '--json'], { cwd: root });
    expect(lastLine(named)).toMatchObject({ verified: true, file });
    const stored = await bkp(['create'], { cwd: root, env: { BKP_READ_ONLY: '0' } });
    expect(stored.stdout).toContain(storageOf(root));
  });

  it('does not stream to nowhere; who says -o - means it', () => {
    const root = site();
    const env = { BKP_READ_ONLY: '1' };
    const { stdout, stderr } = shell('bkp create > /dev/null; echo $?; bkp create >&-; echo $?', root, env);
    expect(stdout).toBe('2\n2\n');
    expect(stderr.match(/leads to \/dev\/null: nothing would be kept\nhint: /g)).toHaveLength(2);
    expect(shell('bkp create -q -o - --no-databases > /dev/null', root, env).status).toBe(0);
  });

  it('tells a fault of the configuration where it does not end up in the archive', () => {
    const root = site();
    writeFileSync(join(root, '.backuprc'), 'level: 10\n', { mode: 0o600 });
    const { status, stdout, stderr } = shell('bkp create --json', root, { BKP_READ_ONLY: '1' });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(linesOf(stderr).at(-1)).toMatchObject({ type: 'error', id: 'config-invalid' });
  });
});

describe('the next stream', () => {
  it('removes what a killed one left in the temporary folder', async () => {
    const root = site();
    writeFileSync(join(root, 'var', 'uploads', 'large'), randomBytes(10_000_000));
    const temporary = folder();
    const env = { PATH: process.env['PATH'], TMPDIR: temporary };
    const child = spawn(process.execPath, [binary, 'create', '-o', '-'], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'readable');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(readdirSync(temporary)).toHaveLength(2);
    rmSync(join(root, 'var', 'uploads', 'large'));
    const ran = await bkp(['create', '-o', join(temporary, 'b.zip'), '-q'], { cwd: root, env: { TMPDIR: temporary } });
    expect(ran.code).toBe(0);
    const next = shell('bkp create -o - -q > $out/a.zip', root, { TMPDIR: temporary });
    expect(next.status).toBe(0);
    expect(readFileSync(join(next.out, 'a.zip')).length).toBeGreaterThan(100_000);
    expect(readdirSync(temporary).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
