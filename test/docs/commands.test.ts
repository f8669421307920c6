import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { BkpError } from '../../src/base/errors.js';
import { parseCommandLine } from '../../src/commands/command-line.js';
import { archivesIn, folder, site, storageOf } from '../commands/cli.js';
import { ended } from '../helpers/cli.js';
import { writeShellCommand } from '../helpers/shell-command.js';
import { blocksOf, cronLine, typedIn } from './blocks.js';
import { pages, root } from './pages.js';

/** In a line of a shell: what is quoted, what ends a command, where to, a comment, a word. */
const shellToken = /'([^']*)'|"([^"]*)"|(&&|[;|])|\d*[<>]+&?\s*\S+|(?<!\S)#.*$|([^\s'";|<>]+)/g;

/** The arguments of each call of `bkp` in a line: by itself, by npx or on another machine. */
function callsIn(line: string): readonly (readonly string[])[] {
  const commands: string[][] = [[]];
  for (const [, single, double, end, word] of line.replace(cronLine, '').matchAll(shellToken)) {
    const token = single ?? double ?? word;
    if (end !== undefined) commands.push([]);
    else if (token !== undefined) commands.at(-1)?.push(token);
  }
  return commands.flatMap((words) => {
    const at = words.findIndex((word) => word === 'bkp' || word.endsWith('/bkp.js'));
    const before = words.slice(0, Math.max(0, at));
    const isCall = at >= 0 && /^(?:npx|ssh host|(?:\w+=\S+ ?)*)$/.test(before.join(' '));
    return isCall ? [words.slice(at + 1)] : [];
  });
}

/** Calls that the prose names; a name in angle brackets stands for anything. */
const mentionsIn = (text: string): readonly (readonly string[])[] =>
  [...text.replace(/^```[^]*?^```$/gm, '').matchAll(/`([^`]+)`/g)].flatMap(([, span = '']) =>
    callsIn(span.replace(/<[\w-]+>…?/g, '1').replace(/\s+/g, ' ')),
  );

/** Why the command line does not understand it; undefined where it does. */
async function faultOf(args: readonly string[]): Promise<string | undefined> {
  try {
    await parseCommandLine(args, () => undefined);
    return undefined;
  } catch (error) {
    if (error instanceof BkpError) return error.message;
    throw error;
  }
}

const named = pages.map((page) => [relative(root, page), readFileSync(page, 'utf8')] as const);

describe.each(named)('the commands of %s', (_, text) => {
  it('are understood as they are typed', async () => {
    const calls = blocksOf(text).flatMap((block) => [
      ...typedIn(block).flatMap(callsIn),
      ...block.lines.filter((line) => cronLine.test(line)).flatMap(callsIn),
    ]);
    const faults = await Promise.all(calls.map(async (args) => [args.join(' '), await faultOf(args)]));
    expect(faults.filter(([, fault]) => fault !== undefined)).toEqual([]);
  });

  it('have the names and options that the prose gives them', async () => {
    // What it is about goes without saying there.
    const isShortened = (fault: string): boolean =>
      /^missing required argument|^no command was given|argument missing$/.test(fault);
    const faults = await Promise.all(
      mentionsIn(text).map(async (args) => [args.join(' '), await faultOf(args)] as const),
    );
    expect(faults.filter(([, fault]) => fault !== undefined && !isShortened(fault))).toEqual([]);
  });
});

it('finds what is not understood, wherever it stands', async () => {
  expect(callsIn('$ x; npx bkp create -q && ssh host bkp -C "/a b" list > out # bkp no')).toEqual([
    ['create', '-q'],
    ['-C', '/a b', 'list'],
  ]);
  expect(callsIn('30 3 * * * /usr/bin/node /x/bin/bkp.js -C /srv/cms status -q')).toEqual([
    ['-C', '/srv/cms', 'status', '-q'],
  ]);
  expect(await faultOf(['create', '--everything'])).toContain('--everything');
  expect(await faultOf(['backups'])).toContain('backups');
  expect(mentionsIn('say `bkp restore <backup>\n--target <folder>`')).toEqual([['restore', '1', '--target', '1']]);
});

/** What changes the machine beside the folder that it is run in, or needs the network. */
const harmful = /\b(?:schedule install|npm)\b/;

/** The stamps of the two backups that the tour in the README makes, in their order. */
const tourStamps = ['20261122T143023Z', '20261122T143025Z'] as const;

it('does in a shell what the README shows', async () => {
  const home = site('cms');
  const elsewhere = folder();
  await writeShellCommand(join(elsewhere, 'bkp'));
  writeFileSync(join(elsewhere, 'ssh'), '#!/bin/sh\nshift\nexec "$@"\n', { mode: 0o755 });
  writeFileSync(join(elsewhere, 'pass'), 'correct horse battery staple', { mode: 0o600 });
  const path = `${elsewhere}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const lines = blocksOf(readme).flatMap(typedIn);
  for (const line of lines.filter((each) => callsIn(each).length > 0 && !harmful.test(each))) {
    const uploads = join(home, 'var', 'uploads');
    // "Here somebody had moved the uploads away."
    const isMoved = line.startsWith('bkp create; echo');
    if (isMoved) renameSync(uploads, `${uploads}-away`);
    const stamps = (existsSync(storageOf(home)) ? archivesIn(home) : []).map((name) =>
      name.slice(0, tourStamps[0].length),
    );
    const typed = tourStamps
      .reduce((text, stamp, at) => text.replaceAll(stamp, stamps[at] ?? stamp), line)
      .replaceAll('/srv/cms', home)
      .replaceAll('/srv/look', join(elsewhere, 'look'))
      .replaceAll('/root/bkp.pass', join(elsewhere, 'pass'));
    const shell = spawn('/bin/sh', ['-c', typed], {
      cwd: home,
      env: { PATH: path },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ran = await ended(shell);
    expect(ran.code === 0 ? [line] : [line, ran.code, ran.stderr]).toEqual([line]);
    if (isMoved) expect(ran.stdout).toMatch(/INCOMPLETE[^]*^exit 3$/m);
    if (isMoved) renameSync(`${uploads}-away`, uploads);
  }
}, 180_000);
