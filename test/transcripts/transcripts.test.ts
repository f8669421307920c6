import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { binary, bkp } from '../commands/cli.js';
import { residentBkp } from '../helpers/resident.js';
import { writeShellCommand } from '../helpers/shell-command.js';
import { normaliser } from './normalise.js';
import { scenes, type Scene } from './scenes.js';

const update = 'npm run transcripts';
const header = `# What bkp prints, and with which code it ends. "! " is before what is on standard error.
# Times, ids, sizes and the widths of columns are made the same for every run. Written by: ${update}
`;

const fixture = fileURLToPath(new URL('../../fixtures/site', import.meta.url));
/** Milliseconds. */
const patience = 180_000;

/** All that lines of scenes call; no crontab and no systemd, whatever there is here. */
const tools = ['cat', 'chmod', 'cp', 'dd', 'grep', 'head', 'ls', 'mkdir', 'mv', 'rm', 'sed', 'sh', 'tail', 'touch'];

const second = (): number => Math.floor(Date.now() / 1000);
let ended = 0;

/** Backups of one second may have one instant: each is begun in a second of its own. */
const paced: typeof residentBkp = async (run) => {
  while (run.args.includes('create') && second() === ended) await setTimeout(20);
  const ran = await residentBkp(run);
  ended = second();
  return ran;
};

interface Stage {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

async function stage(folder: string): Promise<Stage> {
  const [cwd, bin, temporary] = [join(folder, 'cms'), join(folder, 'bin'), join(folder, 'tmp')];
  cpSync(fixture, cwd, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !path.endsWith('/var/backups'),
  });
  for (const made of [bin, temporary]) mkdirSync(made);
  for (const tool of tools) symlinkSync(join('/bin', tool), join(bin, tool));
  await writeShellCommand(join(bin, 'bkp'), paced);
  return { cwd, env: { PATH: bin, TZ: 'UTC', LC_ALL: 'C.UTF-8', TMPDIR: temporary } };
}

function shown(line: string, code: number | null, stdout: string, stderr: string): string {
  const errors = stderr.split('\n').slice(0, -1);
  return `$ ${line}\n${stdout}${errors.map((text) => `! ${text}\n`).join('')}exit ${code ?? 'by a signal'}\n`;
}

function typed(line: string, options: Stage): Promise<string> {
  const child = spawn('/bin/sh', ['-c', line], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err] = [{ text: '' }, { text: '' }];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out.text += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err.text += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(shown(line, code, out.text, err.text)));
  });
}

async function play({ before = [], lines }: Scene): Promise<string> {
  // Paths as long as everywhere: columns are cut where they end.
  const folder = realpathSync(mkdtempSync('/tmp/bkp-'));
  try {
    const options = await stage(folder);
    for (const line of before) await typed(line, options);
    const all: string[] = [];
    for (const line of lines) {
      // An id counts whole seconds, and a file beside the storage does not keep another backup from having the same.
      if (line.includes(' -o ')) await setTimeout(1000 - (Date.now() % 1000));
      all.push(await typed(line, options));
      if (line.includes(' -o ')) await setTimeout(1000 - (Date.now() % 1000));
    }
    const normalise = normaliser({ folder, binary });
    return [header, ...all.map(normalise)].join('\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const [name, scene] of Object.entries(scenes)) {
  const says = `if it is meant so, run \`${update}\` and look at the difference`;
  it(
    `bkp ${name} is what its transcript says`,
    async () => {
      await expect(await play(scene), says).toMatchFileSnapshot(`${name}.txt`);
    },
    patience,
  );
}

it('has a transcript of every command', async () => {
  const { stdout } = await bkp(['--help']);
  const commands = [...(stdout.split('Commands:')[1] ?? '').matchAll(/^ {2}([a-z]+)/gm)].map(([, word]) => word ?? '');
  expect(commands.length).toBeGreaterThan(10);
  // `unlock` is in that of `lock`; `help` is commander's own.
  const without = commands.filter((word) => !(word in scenes) && !['unlock', 'help'].includes(word));
  expect(without).toEqual([]);
});
