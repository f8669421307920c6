import { describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { exitCodes } from '../../src/base/exit-codes.js';
import { parseCommandLine } from '../../src/commands/command-line.js';
import { bkp, folder, jsonLines, site, siteWithBackup } from './cli.js';

const commands = [
  'create',
  'list',
  'show',
  'verify',
  'restore',
  'init',
  'doctor',
  'prune',
  'schedule',
  'status',
  'log',
];

const dataModule = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;

async function parse(...args: readonly string[]) {
  const parsed = await parseCommandLine(args, () => undefined);
  if (parsed.kind !== 'job') throw new Error('nothing to run');
  return parsed.job;
}

async function helpOf(...words: readonly string[]): Promise<string> {
  let text = '';
  expect(await parseCommandLine([...words, '--help'], (more) => (text += more))).toEqual({ kind: 'told' });
  return text;
}

describe('help and version', () => {
  it('prints the version of the package and ends with 0', async () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    const told = { code: 0, stdout: `${manifest.version}\n`, stderr: '' };
    expect(await bkp(['--version'])).toMatchObject(told);
    expect(await bkp(['--no-color', '--version'])).toMatchObject(told);
    expect(await bkp(['--version', '-q'])).toMatchObject(told);
  });

  it('understands a command by any of its names, loaded alone as among all others', async () => {
    const names = [...(await helpOf()).matchAll(/^ {2}([a-z]+)(?:\|([a-z]+))? .*\S/gm)].flatMap(
      ([, name = '', alias]) => (alias === undefined ? [name] : [name, alias]),
    );
    expect(names).toEqual(expect.arrayContaining([...commands, 'ls', 'backup', 'unlock', 'completion']));
    for (const name of names.filter((one) => one !== 'help')) {
      const alone = await helpOf(name);
      expect(alone).toMatch(new RegExp(`^Usage: bkp .*\\b${name}\\b`));
      expect(await helpOf('--no-color', name)).toBe(alone);
    }
  });

  it('shows every exit code of the table in the top-level help', async () => {
    const { code, stdout, stderr } = await bkp(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const exitCode of Object.values(exitCodes)) expect(stdout).toMatch(new RegExp(`^ +${exitCode}  \\S`, 'm'));
    for (const command of commands) expect(stdout).toContain(command);
  });

  it.each(commands)('ends the help of %s with examples', async (command) => {
    const { code, stdout } = await bkp([command, '--help']);
    expect(code).toBe(0);
    expect(stdout.slice(stdout.indexOf('\nExamples:\n'))).toContain(`  bkp ${command}`);
    expect(stdout).toContain('Global options:');
  });

  it('loads none of the heavy modules for the version', async () => {
    const libraries = ['better-sqlite3', 'yauzl', 'tar-stream', 'valibot', 'cosmiconfig', 'cli-progress', 'picomatch'];
    // Modules that are refused: whoever loads one fails.
    const hooks = (refused: readonly string[]): string => `export const resolve = (name, context, next) => {
      if (${JSON.stringify(refused)}.includes(name)) throw new Error('loaded ' + name);
      return next(name, context);
    };`;
    const without = (...refused: readonly string[]): { readonly NODE_OPTIONS: string } => {
      const register = `import { register } from 'node:module'; register(${JSON.stringify(dataModule(hooks(refused)))});`;
      return { NODE_OPTIONS: `--import=${dataModule(register)}` };
    };
    const alone = without(...libraries, 'commander', 'chalk');
    expect(await bkp(['--version'], { env: alone })).toMatchObject({ code: 0, stderr: '' });
    expect((await bkp(['--version', '-q'], { env: alone })).stderr).toContain('loaded commander');
    const env = without(...libraries);
    expect(await bkp(['create', '--help'], { env })).toMatchObject({ code: 0, stderr: '' });
    const { stderr } = await bkp(['list'], { env });
    expect(stderr).toContain('loaded valibot');
  });
});

describe('what is not understood', () => {
  it.each([
    { args: ['schedule'], says: 'no command was given' },
    { args: ['lsit'], says: "unknown command 'lsit'", hint: 'Did you mean list?' },
    { args: ['create', '--fromat', 'zip'], says: "unknown option '--fromat'", hint: 'Did you mean --format?' },
    { args: ['--jsno', 'list'], says: "unknown option '--jsno'", hint: 'Did you mean --json?' },
    { args: ['list', 'more'], says: 'too many arguments' },
    { args: ['show'], says: "missing required argument 'backup'" },
    { args: ['list', '--sort', 'colour'], says: 'Allowed choices are time, size, id' },
    { args: ['list', '--limit', '0'], says: 'whole number' },
    { args: ['list', '--limit', 'x'], says: 'whole number' },
    { args: ['upload'], says: "unknown command 'upload'" },
    { args: ['help', 'nonsense'], says: 'no command' },
  ])('is a usage error: $args', async ({ args, says, hint }) => {
    const { code, stdout, stderr } = await bkp(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const [error, help] = stderr.split('\n');
    expect(error).toMatch(/^error: /);
    expect(error).toContain(says);
    expect(help).toMatch(/^hint: .*--help/);
    if (hint !== undefined) expect(help).toContain(hint);
  });

  it('is told as one JSON line where --json was among the arguments', async () => {
    const ran = await bkp(['list', '--josn', '--json']);
    expect(ran).toMatchObject({ code: 2, stderr: '' });
    expect(jsonLines(ran)).toMatchObject([{ type: 'error', id: 'usage', exitCode: 2 }]);
  });

  it('does not take --json behind -- for the option', async () => {
    expect(await bkp(['list', '--', '--json'])).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('global options', () => {
  it('are taken before and after the command, the later one winning', async () => {
    expect((await parse('-C', 'a', 'list')).globals.root).toBe('a');
    expect((await parse('list', '-C', 'a')).globals.root).toBe('a');
    expect((await parse('-C', 'a', 'list', '-C', 'b')).globals.root).toBe('b');
    expect((await parse('--json', 'list')).globals.json).toBe(true);
    expect((await parse('list', '--json')).globals.json).toBe(true);
    expect((await parse('list')).globals.json).toBe(false);
    expect((await parse('--no-color', 'list', '--no-input')).globals).toMatchObject({
      color: false,
      input: false,
      progress: true,
    });
    expect((await parse('-v', 'list', '-vv')).globals.verbose).toBe(3);
  });

  it('leave the value of an option alone that looks like one of them', async () => {
    const job = await parse('create', '--comment=--json', '-o', '-v');
    expect(job.globals).toMatchObject({ json: false, verbose: 0 });
  });

  it('reach the command by either way', async () => {
    const { root } = await siteWithBackup();
    const before = await bkp(['-C', root, '--json', 'ls']);
    const after = await bkp(['ls', '-C', root, '--json']);
    for (const ran of [before, after]) {
      expect(ran.code).toBe(0);
      expect(jsonLines(ran).map(({ type }) => type)).toEqual(['start', 'step', 'backup', 'summary']);
    }
  });
});

describe('the instance', () => {
  it('is asked for where there is none', async () => {
    const { code, stderr } = await bkp(['create'], { cwd: folder() });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: .*\nhint: .*-C/s);
  });

  it('is told with every fault of its flags and variables at once', async () => {
    const { code, stderr } = await bkp(['create', '--level', '12', '--lock-wait', 'soon'], {
      cwd: site(),
      env: { BKP_FORMAT: 'rar' },
    });
    expect(code).toBe(2);
    for (const place of ['--level', '--lock-wait', 'BKP_FORMAT']) expect(stderr).toContain(place);
  });
});
