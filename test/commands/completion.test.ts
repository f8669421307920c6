import { Command, Option } from 'commander';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeCommand } from '../../src/commands/completion-model.js';
import { bashCompletion } from '../../src/ui/completion-bash.js';
import { zshCompletion } from '../../src/ui/completion-zsh.js';
import { ended, hasTool } from '../helpers/cli.js';
import { writeShellCommand } from '../helpers/shell-command.js';
import { openTerminal } from '../helpers/terminal.js';
import { bkp, folder, jsonLines, storageOf } from './cli.js';
import { changeSchedules, scheduledSite } from './scheduled.js';

/** A folder with `bkp` as a program, and an instance in it with files that are called like backups. */
async function place() {
  const root = folder();
  await writeShellCommand(join(root, 'bkp'));
  const bashScript = join(folder(), 'bkp.bash');
  writeFileSync(bashScript, (await bkp(['completion', 'bash'])).stdout);
  const site = join(root, 'my site');
  mkdirSync(storageOf(site), { recursive: true });
  writeFileSync(join(site, 'var/system.brain'), '');
  for (const name of [
    '20251030T120000Z-daily.zip',
    '20251030T120000Z-daily.tar.gz',
    '20251101T020000Z-manual.tar.gz',
    '20251101T020000Z-manual.tar.gz.sha256',
    'other.zip',
    '.20251102T020000Z-manual.zip.partial',
  ])
    writeFileSync(join(storageOf(site), name), '');
  return { root, site, env: { PATH: `${root}:${process.env['PATH'] ?? ''}`, SCRIPT: bashScript } };
}

const references = ['latest', 'latest:daily', '20251101T020000Z-manual', '20251030T120000Z-daily'];

describe('bkp completion', () => {
  it('lists what backups can be called, by the names of files alone', async () => {
    const { site, root } = await place();
    const listed = await bkp(['completion', '--backups'], { cwd: site });
    expect(listed).toEqual({ code: 0, signal: null, stdout: `${references.join('\n')}\n`, stderr: '' });
    const elsewhere = await bkp(['completion', '--backups', '--storage', storageOf(site)], { cwd: root });
    expect(elsewhere.stdout).toBe(listed.stdout);
    expect((await bkp(['completion', '--schedules', '-C', site])).stdout).toBe('daily\n');
  });

  it('never fails where it cannot list any', async () => {
    const { root } = await place();
    writeFileSync(join(root, '.backuprc'), 'nonsense: [');
    for (const args of [[], ['-C', '/nowhere'], ['--storage', '/nowhere']]) {
      const ran = await bkp(['completion', '--backups', ...args], { cwd: root });
      expect(ran).toMatchObject({ code: 0, stdout: 'latest\n', stderr: '' });
    }
    expect((await bkp(['completion', '--schedules'], { cwd: root })).stdout).toBe('');
  });

  it('lists schedules that have made nothing yet, and never fails over them', async () => {
    const { root, run } = await scheduledSite({ weekly: [], nightly: [] });
    changeSchedules(root, "UPDATE backup_schedule SET time_of_day = '25:99' WHERE name = 'nightly'");
    const database = join(root, 'var/system.brain');
    const before = readFileSync(database);
    expect(await run('completion', '--schedules')).toMatchObject({ code: 0, stdout: 'nightly\nweekly\n' });
    expect(readFileSync(database).equals(before)).toBe(true);
    writeFileSync(database, 'no database any more');
    expect(await run('completion', '--schedules')).toMatchObject({ code: 0, stdout: '', stderr: '' });
    const elsewhere = folder();
    mkdirSync(join(elsewhere, 'backups'));
    const schedules = [{ name: 'monthly' }];
    writeFileSync(join(elsewhere, 'backups', 'schedules.json'), JSON.stringify({ version: 1, schedules }));
    const config = 'storage: backups\nsources: { data: { type: directory, path: data } }\n';
    writeFileSync(join(elsewhere, '.backuprc'), config, { mode: 0o600 });
    expect((await bkp(['completion', '--schedules'], { cwd: elsewhere })).stdout).toBe('monthly\n');
  });

  it('asks for a shell it knows', async () => {
    expect(await bkp(['completion'])).toMatchObject({ code: 2, stdout: '' });
    expect(await bkp(['completion', 'fish'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('tells a script as a summary with --json', async () => {
    const lines = jsonLines(await bkp(['completion', 'bash', '--json']));
    expect(lines.at(-1)?.['text']).toBe((await bkp(['completion', 'bash'])).stdout);
  });
});

describe('in bash', () => {
  /** What bash would offer; the words as it takes them apart, the last one being typed. */
  async function offered(words: readonly string[], options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv }) {
    const quoted = ['bkp', ...words].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    const script = `
      source "$SCRIPT" || exit 1
      COMP_WORDS=(${quoted}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      _bkp bkp; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const bash = spawn('bash', ['--norc', '-c', script], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const ran = await ended(bash);
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code: 0, stderr: '' });
    return ran.stdout.split('\n').filter((line) => line !== '');
  }

  const cases: readonly { readonly typed: readonly string[]; readonly wanted: readonly string[] }[] = [
    { typed: ['cr'], wanted: ['create'] },
    { typed: ['-q', '-C', 'create', 'ver'], wanted: ['verify'] },
    { typed: ['create', '--no-up'], wanted: ['--no-uploads'] },
    { typed: ['backup', '--format', ''], wanted: ['zip', 'tar.gz'] },
    { typed: ['create', '--format', '=', 't'], wanted: ['tar.gz'] },
    { typed: ['create', '--format', '='], wanted: ['zip', 'tar.gz'] },
    { typed: ['create', '--comment', ''], wanted: [] },
    { typed: ['list', '--sort', 's'], wanted: ['size'] },
    { typed: ['list', '--schedule', ''], wanted: ['daily'] },
    { typed: ['show', ''], wanted: references },
    { typed: ['show', 'latest', ''], wanted: [] },
    { typed: ['lock', 'latest', '202511'], wanted: ['20251101T020000Z-manual'] },
    { typed: ['restore', 'latest', ':', 'd'], wanted: ['daily'] },
    { typed: ['restore', 'latest', ':'], wanted: ['daily'] },
    { typed: ['restore', '--confirm', '2025110'], wanted: ['20251101T020000Z-manual'] },
    { typed: ['verify', './va'], wanted: ['./var'] },
    { typed: ['verify', '--', '-'], wanted: [] },
    { typed: ['init', 'va'], wanted: ['var'] },
    { typed: ['completion', ''], wanted: ['bash', 'zsh'] },
    { typed: ['nonsense', ''], wanted: [] },
  ];

  it('offers what can be typed', async () => {
    const { site, env } = await place();
    const all: (typeof cases)[number][] = [];
    for (const { typed } of cases) all.push({ typed, wanted: await offered(typed, { cwd: site, env }) });
    expect(all).toEqual(cases);
  });

  it('knows every command and every option of the help', async () => {
    const { site, env } = await place();
    const help = async (...args: readonly string[]): Promise<string> => (await bkp([...args, '--help'])).stdout;
    const commands = [...(await help()).matchAll(/^ {2}([a-z]+)(?:\|([a-z]+))? /gm)].flatMap(([, one, other]) => [
      one,
      other,
    ]);
    expect((await offered([''], { cwd: site, env })).sort()).toEqual(
      commands.filter((word) => word !== undefined && word !== 'help').sort(),
    );
    const options = [...(await help('create')).matchAll(/^ {2}(?:(-\w), )?(--[a-z-]+)/gm)].flatMap(
      ([, short, long]) => [short, long],
    );
    expect((await offered(['create', '-'], { cwd: site, env })).sort()).toEqual(
      options.filter((flag) => flag !== undefined).sort(),
    );
  });

  it('finds the backups of the instance that the line names, and takes odd file names as they are', async () => {
    const { root, site, env } = await place();
    for (const flag of ['-C', '--root'])
      expect(await offered([flag, site, 'show', '2'], { cwd: root, env })).toEqual(references.slice(2));
    expect(await offered(['show', '--root', '=', site, '2'], { cwd: root, env })).toEqual(references.slice(2));
    expect(await offered(['show', '2'], { cwd: root, env })).toEqual([]);
    for (const name of ['a *', 'a $(touch owned)', 'a `touch owned`']) writeFileSync(join(root, name), '');
    expect((await offered(['verify', './a'], { cwd: root, env })).sort()).toEqual([
      './a $(touch owned)',
      './a *',
      './a `touch owned`',
    ]);
    expect(await offered(['-C', 'm'], { cwd: root, env })).toEqual(['my site']);
  });

  it.skipIf(!hasTool('tmux'))('completes at a key', async () => {
    const { root } = await place();
    const { until, press } = openTerminal(`cd ${root} && PATH=${root}:$PATH PS1='> ' bash --norc --noprofile`);
    await until(/^>/m);
    press('source <(bkp completion bash); echo rea""dy', 'Enter');
    await until(/^ready$/m);
    press('bkp -C m', 'Tab', ' unl', 'Tab', '202510', 'Tab');
    expect(await until(/-daily/)).toMatch(/^> bkp -C my\\ site\/ unlock 20251030T120000Z-daily$/m);
  });
});

describe('commands below commands', () => {
  const program = new Command('bkp');
  const schedule = program.command('schedule').description("a schedule's: [all]");
  schedule.command('list');
  schedule
    .command('set <name>')
    .option('--every <frequency>', "how often it's run: [hourly]")
    .addOption(new Option('--on <day>').choices(['mon', 'tue']));
  const model = describeCommand(program);

  it('are found in bash, with their own options and arguments', () => {
    const script = join(folder(), 'script');
    writeFileSync(script, bashCompletion(model));
    const offered = (line: string): string =>
      execFileSync(
        'bash',
        [
          '--norc',
          '-c',
          `source "$0"; bkp() { echo daily; }
        COMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _bkp bkp; echo "\${COMPREPLY[*]}"`,
          script,
        ],
        { encoding: 'utf8' },
      ).trim();
    expect(offered("bkp ''")).toBe('schedule');
    expect(offered("bkp schedule ''")).toBe('list set');
    expect(offered('bkp schedule set --on m')).toBe('mon');
    expect(offered('bkp schedule set --e')).toBe('--every');
    expect(offered('bkp schedule set d')).toBe('daily');
    expect(offered("bkp schedule list ''")).toBe('');
  });

  it.skipIf(!hasTool('zsh'))('make a script that zsh understands', () => {
    const script = join(folder(), 'script');
    writeFileSync(script, zshCompletion(model));
    expect(spawnSync('zsh', ['-n', script], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    const defined = execFileSync('zsh', ['-fc', `compdef() { : }; source ${script}; print -l \${(k)functions}`], {
      encoding: 'utf8',
    });
    expect(defined.split('\n')).toEqual(
      expect.arrayContaining(['_bkp', '__bkp_main_schedule', '__bkp_main_schedule_set']),
    );
  });
});

describe.skipIf(!hasTool('zsh') || !hasTool('tmux'))('in zsh', () => {
  it('completes at a key: commands, options, values, folders and backups of the instance that is named', async () => {
    const { root } = await place();
    const { until, press } = openTerminal(`cd ${root} && PATH=${root}:$PATH PS1='> ' zsh -f`);
    await until(/^>/m);
    press('autoload -U compinit && compinit -D -u; source <(bkp completion zsh); echo rea""dy', 'Enter');
    await until(/^ready$/m);
    press('bkp -C my\\ site unl', 'Tab', '202510', 'Tab');
    await until(/unlock 20251030T120000Z-daily/);
    press('C-u', 'bkp create --form', 'Tab', 'ta', 'Tab', '--no-up', 'Tab');
    await until(/create --format[ =]tar\.gz --no-uploads/);
    press('C-u', 'bkp init my', 'Tab');
    await until(/init my\\ site\//);
    press('C-u', 'bkp show --root=my\\ site ', 'Tab', 'Tab');
    expect(await until(/latest:daily/)).toMatch(/latest +latest:daily +20251101T020000Z-manual/);
  });
});
