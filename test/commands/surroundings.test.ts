import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { binary, bkp, folder, site, siteWithBackup } from './cli.js';

interface ShellRan {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A line of bash in which `bkp` is the built command line. */
function shell(line: string, cwd: string, env: Readonly<Record<string, string>> = {}): ShellRan {
  const script = `bkp() { "${process.execPath}" "${binary}" "$@"; }; ${line}`;
  return spawnSync('bash', ['--norc', '-c', script], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  });
}

describe('standard output', () => {
  it('may be closed by its reader', async () => {
    const { root } = await siteWithBackup();
    const ran = shell('bkp show latest --files | head -n 1; echo "${PIPESTATUS[0]}"', root);
    expect(ran.stdout).toMatch(/\n0\n$/);
    expect(ran.stderr).toBe('');
    expect(shell('bkp list | true; echo "${PIPESTATUS[0]}"', root)).toMatchObject({ stdout: '0\n', stderr: '' });
    expect(shell('bkp create --no-databases --json | true; echo "${PIPESTATUS[0]}"', root)).toMatchObject({
      stdout: '0\n',
      stderr: '',
    });
  });

  it.runIf(existsSync('/dev/full'))('that takes nothing is a failure', async () => {
    const { root } = await siteWithBackup();
    for (const command of ['list', 'list --json', '--version', '--help']) {
      const { status, stderr } = shell(`bkp ${command} > /dev/full`, root);
      expect(status).toBe(1);
      expect(stderr).toMatch(/^error: standard output could not be written to: ENOSPC.*\n$/);
    }
  });

  it('may be closed from the beginning', async () => {
    const { root } = await siteWithBackup();
    expect(shell('bkp list >&- 2>&-', root).status).toBe(0);
  });
});

describe('colours', () => {
  const colour = '\x1b[';

  it('are not written to what is no terminal', async () => {
    const { root } = await siteWithBackup();
    expect((await bkp(['list'], { cwd: root })).stdout).not.toContain(colour);
    expect((await bkp(['nonsense'])).stderr).not.toContain(colour);
  });

  it('can be forced, and NO_COLOR and --no-color have the last word', async () => {
    const { root } = await siteWithBackup();
    const env = { FORCE_COLOR: '1' };
    expect((await bkp(['list'], { cwd: root, env })).stdout).toContain(colour);
    expect((await bkp(['nonsense'], { env })).stderr).toContain(colour);
    expect((await bkp(['nonsense', '--no-color'], { env })).stderr).not.toContain(colour);
    expect((await bkp(['list', '--no-color'], { cwd: root, env })).stdout).not.toContain(colour);
    expect((await bkp(['list'], { cwd: root, env: { ...env, NO_COLOR: '1' } })).stdout).not.toContain(colour);
    expect((await bkp(['list', '--json'], { cwd: root, env })).stdout).not.toContain(colour);
  });
});

const hasScript = spawnSync('script', ['--version']).status === 0;

describe.runIf(hasScript)('a terminal', () => {
  const onTerminal = (args: string, cwd: string, env: Readonly<Record<string, string>> = {}): string =>
    execFileSync('script', ['-qec', `"${process.execPath}" "${binary}" ${args}`, '/dev/null'], {
      cwd,
      env: { PATH: process.env['PATH'], TERM: 'xterm', ...env },
      encoding: 'utf8',
    });

  it('gets a bar that is gone at the end, and colours', () => {
    const root = site();
    const shown = onTerminal('create', root);
    expect(shown).toMatch(/Reading back|Copying databases|Looking at folders/);
    expect(shown).toContain('\x1b[2K');
    expect(shown).toContain('\x1b[32mcomplete');
  });

  it.each([
    { args: 'create --no-databases --no-progress', env: {} },
    { args: 'create --no-databases --json', env: {} },
    { args: 'create --no-databases', env: { TERM: 'dumb' } },
  ])('gets none with $args $env', ({ args, env }) => {
    const shown = onTerminal(args, site(), env);
    expect(shown).not.toContain('Looking at folders');
    expect(shown).not.toContain('\x1b[2K');
  });

  it('gets nothing at all with -q', () => {
    expect(onTerminal('create --no-databases -q', site())).toBe('');
  });
});

describe('an environment with nothing but a PATH', () => {
  it('is enough, without HOME and as a user who has none', () => {
    const root = site();
    expect(shell('unset HOME; bkp create -q && bkp verify -q && bkp list | wc -l', root)).toMatchObject({
      status: 0,
      stdout: '3\n',
      stderr: '',
    });
  });

  it.runIf(process.getuid?.() === 0)('is enough for an unprivileged user', async () => {
    const root = site();
    const parent = folder();
    cpSync(root, `${parent}/site`, { recursive: true, verbatimSymlinks: true });
    execFileSync('chown', ['-R', '65534:65534', parent]);
    const user = 'setpriv --reuid=65534 --regid=65534 --clear-groups';
    const ran = shell(`cd site; ${user} "${process.execPath}" "${binary}" create -q; echo $?`, parent);
    expect(ran).toMatchObject({ stdout: '0\n', stderr: '' });
    const restore = `${user} "${process.execPath}" "${binary}" restore latest --target ../copy -q; echo $?`;
    expect(shell(`cd site; ${restore}`, parent)).toMatchObject({ stdout: '0\n', stderr: '' });
    mkdirSync(`${parent}/site/.bkp-restore`, { mode: 0o700 });
    const denied = shell(`cd site; ${user} "${process.execPath}" "${binary}" create -q`, parent);
    expect(denied.stderr).toMatch(
      /^error: .*\nhint: .*\/\.bkp-restore belongs to the user with id 0, .* run bkp as that user/,
    );
  });
});

describe('an error nobody foresaw', () => {
  it('shows its stack only with -vv', async () => {
    // A module that cannot be loaded is as unforeseen as can be.
    const hooks = `export const resolve = (name, context, next) => {
      if (name === 'picomatch') throw new Error('no such luck');
      return next(name, context);
    };`;
    const data = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;
    const register = `import { register } from 'node:module'; register(${JSON.stringify(data(hooks))});`;
    const options = { cwd: site(), env: { NODE_OPTIONS: `--import=${data(register)}` } };
    const short = await bkp(['create'], options);
    expect(short.code).toBe(1);
    expect(short.stderr).toMatch(/^error: this is a bug in bkp:\n {2}no such luck\nhint: .*-vv.*\n$/);
    const long = await bkp(['create', '-vv'], options);
    expect(long.stderr).toMatch(/\n {4}at /);
    const json = await bkp(['create', '--json', '-vv'], options);
    expect(JSON.parse(json.stdout.trimEnd().split('\n').at(-1)!)).toMatchObject({
      type: 'error',
      id: 'internal',
      exitCode: 1,
      stack: expect.stringContaining('at ') as unknown,
    });
  });
});
