import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { writeShellCommand } from '../helpers/shell-command.js';
import { binary, folder, site } from '../commands/cli.js';
import { blocksOf, typedIn, type Block } from './blocks.js';
import { pages, root } from './pages.js';

/** What is parsed by commands.test.ts and not run here, and why. */
const notRun: readonly (readonly [line: RegExp, why: string])[] = [
  [/\bschedule install\b(?!.*--print)/, 'it would change the crontab of whoever runs the tests'],
  [/^chown root /, 'only root may'],
  [/^node bench\//, 'measurements and endurance tests: they take minutes'],
  [/\bnpm\b/, 'it needs the network'],
];

const isRun = (line: string): boolean => line !== '' && !notRun.some(([pattern]) => pattern.test(line));

/** The README has a test of its own: it is a tour of one site. */
const run = pages
  .map((page) => ({ page: relative(root, page), blocks: blocksOf(readFileSync(page, 'utf8')) }))
  .filter(({ page, blocks }) => page !== 'README.md' && blocks.flatMap(typedIn).some(isRun));

/** What has to be so before a line, in words of a shell; `status`: with what it ends, where that is not 0. */
interface Setting {
  readonly line: RegExp;
  readonly before?: string;
  readonly status?: number;
}

const hourly = 'bkp create -q --schedule hourly --no-prune';

const settings: Readonly<Record<string, readonly Setting[]>> = {
  'docs/administration.md': [
    { line: /--print --direct/, before: 'bkp schedule set hourly --every hourly --at 00:15' },
    { line: /^bkp schedule set hourly/, before: 'bkp schedule remove hourly' },
    { line: /^bkp prune --dry-run/, before: `bkp create -q --schedule daily; ${hourly}; ${hourly}; ${hourly}` },
    // The disk for copies is not mounted.
    { line: /^bkp create -q; echo/, before: 'echo "copies: [/srv/nas/cms]" > .backuprc; chmod 600 .backuprc' },
    { line: /status -q --max-age/, before: 'rm .backuprc' },
    // Somebody removed an archive.
    { line: /^bkp status -q$/, before: 'rm $(ls var/backups/*-hourly.zip | head -1)', status: 16 },
    { line: /^ssh host/, before: 'mkdir /srv/there; cd /srv/there' },
  ],
  'docs/configuration.md': [
    { line: /^chmod/, before: 'cd /srv/cms; echo "format: zip" > .backuprc; chmod 666 .backuprc' },
  ],
  'docs/encryption.md': [
    {
      line: /^7z/,
      before: `cd /srv/cms; bkp create -q --encrypt --passphrase-file /srv/pass -o /srv/e/20251030T120000Z-manual.zip; cd /srv/e`,
    },
  ],
  'docs/restore-safety.md': [{ line: /^bkp restore --recover/, before: 'cd /srv/cms' }],
};

const passphrase = 'correct horse battery staple';

/** A site with all that the lines call, in a folder that stands for /srv. */
async function stage(): Promise<{ readonly srv: string; readonly env: NodeJS.ProcessEnv }> {
  const srv = dirname(site('cms'));
  const bin = folder();
  await writeShellCommand(join(bin, 'bkp'));
  writeFileSync(join(bin, 'ssh'), '#!/bin/sh\nshift\nexec "$@"\n', { mode: 0o755 });
  writeFileSync(join(bin, '7z'), `#!/bin/sh\nshift\nexec ${sevenZip} x -p"${passphrase}" "$@"\n`, { mode: 0o755 });
  writeFileSync(join(srv, 'pass'), passphrase, { mode: 0o600 });
  mkdirSync(join(srv, 'e'));
  const path = `${bin}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
  return { srv, env: { PATH: path, HOME: srv, TZ: 'UTC', LC_ALL: 'C.UTF-8' } };
}

const sevenZip = spawnSync('sh', ['-c', 'command -v 7z'], { encoding: 'utf8' }).stdout.trim();

interface Told {
  readonly line: string;
  readonly output: string;
  readonly status: number;
}

const program = '/usr/bin/node /usr/lib/node_modules/bkp/bin/bkp.js';

/** Types lines in one shell, in /srv/cms at first. */
async function type(lines: readonly string[], page: string): Promise<readonly Told[]> {
  const { srv, env } = await stage();
  const toHere = (text: string): string =>
    text.replaceAll(program, `${process.execPath} ${binary}`).replaceAll('/srv', srv);
  const script = lines.flatMap((line) => {
    const { before } = settings[page]?.find((setting) => setting.line.test(line)) ?? {};
    const typed = line.replace(cronTimes, '');
    return [
      ...(before === undefined ? [] : [`{ ${before}; } >/dev/null 2>&1`]),
      'echo @begin',
      typed,
      'echo "@end $?"',
    ];
  });
  const shell = spawn('/bin/sh', [], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  shell.stdin.end(toHere(`exec 2>&1; cd /srv/cms\n${script.join('\n')}\n`));
  const stdout = await text(shell.stdout);
  const toThere = stdout.replaceAll(srv, '/srv').replaceAll(`${process.execPath} ${binary}`, program);
  const told = [...toThere.matchAll(/^@begin\n([^]*?)^@end (\d+)$/gm)];
  return lines.map((line, at) => ({ line, output: told[at]?.[1] ?? '', status: Number(told[at]?.[2] ?? -1) }));
}

const cronTimes = /^(?:[\d*/,-]+ ){5}/;

/** What does not differ from run to run: no numbers, ids, ages, units, nor the widths of columns. */
const shape = (line: string): string =>
  line
    // Of several backups in one second the later ones are named by the next.
    .replace(/\b\d+ minutes? ago\b|\bin a moment\b/g, 'just now')
    .replace(/\bcms-[0-9a-f]{8}\b/g, 'cms-0')
    .replace(/\d[\d.,:]*/g, '0')
    .replace(/\b0 (?:[KMG]i)?B\b/g, '0 B')
    .replace(/\s+/g, ' ')
    .trim();

/** Lines that a page shows and that were not told. */
function untold({ language, lines }: Block, told: readonly Told[]): readonly string[] {
  if (language !== 'console') return [];
  const outputs = told.map(({ output }) => output).join('\n');
  const shapes = new Set(outputs.split('\n').map(shape));
  const shown: string[] = [];
  let counts = false;
  for (const line of lines) {
    if (line.startsWith('$ ')) counts = isRun(line.slice(2));
    else if (counts && line !== '' && line !== '…') shown.push(line);
  }
  return shown.filter((line) => !shapes.has(shape(line)));
}

describe.each(run)('what $page shows, done in a shell', ({ page, blocks }) => {
  it.skipIf(page === 'docs/encryption.md' && sevenZip === '')(
    'ends as it should, and tells what is shown',
    async () => {
      const lines = blocks.flatMap(typedIn).filter(isRun);
      const told = await type(lines, page);
      const wanted = lines.map((line) => [line, settings[page]?.find((one) => one.line.test(line))?.status ?? 0]);
      const ended = told.map(({ line, status }) => [line, status]);
      const failed = told.filter(({ status }, at) => status !== wanted[at]?.[1]).map(({ output }) => output);
      expect([ended, failed]).toEqual([wanted, []]);
      expect(blocks.flatMap((block) => untold(block, told))).toEqual([]);
    },
    180_000,
  );
});

it('runs what can be run', () => {
  expect(run.map(({ page }) => page)).toEqual(Object.keys(settings).sort());
  const all = pages.flatMap((page) => blocksOf(readFileSync(page, 'utf8')).flatMap(typedIn));
  for (const [pattern] of notRun) expect(all.some((line) => pattern.test(line))).toBe(true);
});
