import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasTool } from '../helpers/cli.js';
import { openTerminal } from '../helpers/terminal.js';
import { binary, namesIn, siteWithBackup, storageOf } from './cli.js';

/** A terminal in which a backup is about to be restored over a later upload. */
async function asked(options = '') {
  const { root, id } = await siteWithBackup();
  const later = join(root, 'var', 'uploads', 'later.txt');
  writeFileSync(later, 'later');
  const terminal = openTerminal(`${process.execPath} ${binary} -C ${root} restore latest ${options}`);
  return { root, id, later, ...terminal };
}

const question = /Type \S+ to replace what is there:/;

describe.skipIf(!hasTool('tmux'))('bkp restore on a terminal', () => {
  it('shows the plan, restores once the id is typed, and leaves no bar', async () => {
    const { id, later, until, press } = await asked();
    const seen = await until(question);
    expect(seen).toMatch(/^uploads +0 +0 +0 +1 +43 +var\/uploads$/m);
    expect(seen).not.toContain('Verifying');
    expect(existsSync(later)).toBe(true);
    press(id, 'Enter');
    expect(await until(/exit \d+/)).toMatch(/is restored; every file[^]*to undo it[^]*exit 0/);
    expect(existsSync(later)).toBe(false);
  });

  it('asks again where another word is typed', async () => {
    const { id, later, until, press } = await asked();
    await until(question);
    press('latest', 'Enter');
    await until(new RegExp(`^latest is not ${id}\\.\nType ${id} to replace what is there: *$`, 'm'));
    expect(existsSync(later)).toBe(true);
    press(id, 'Enter');
    expect(await until(/exit \d+/)).toContain('exit 0');
    expect(existsSync(later)).toBe(false);
  });

  it('shows the plan and asks on standard error, also with -q and another standard output', async () => {
    const { id, until, press } = await asked('-q | cat');
    expect(await until(question)).toMatch(/^uploads +0 +0 +0 +1 +43 +var\/uploads$/m);
    press(id, 'Enter');
    await until(/exit 0/);
  });

  it.each([
    {
      what: 'another word, three times',
      words: ['one', 'two'],
      keys: ['latest', 'Enter'],
      says: /error: latest is not \S+; nothing was changed/,
      code: 15,
    },
    { what: 'nothing', keys: ['Enter'], says: /error: it was not confirmed; nothing was changed/, code: 15 },
    { what: 'Ctrl-D', keys: ['C-d'], says: /error: it was not confirmed; nothing was changed/, code: 15 },
    { what: 'Ctrl-C', keys: ['C-c'], says: /^error: interrupted/m, code: 130 },
    { what: 'another word and Esc', words: ['x'], keys: ['Escape'], says: /^error: interrupted \(Esc\)/m, code: 130 },
  ])('leaves everything alone after $what', async ({ words = [], keys, says, code }) => {
    const { root, later, until, press } = await asked();
    const before = namesIn(storageOf(root));
    await until(question);
    for (const word of words) {
      press(word, 'Enter');
      await until(new RegExp(`^${word} is not \\S+\\.\\nType \\S+ to replace what is there: *$`, 'm'));
    }
    press(...keys);
    const seen = await until(/exit \d+/);
    expect(seen).toMatch(says);
    expect(seen).toContain(`exit ${code}`);
    expect(existsSync(later)).toBe(true);
    expect(namesIn(storageOf(root))).toEqual(before);
    expect(namesIn(root)).toEqual(['.env', '.env.local', 'var']);
  });

  it('never asks with --no-input', async () => {
    const { until } = await asked('--no-input');
    expect(await until(/exit \d+/)).toMatch(/was not confirmed; nothing was changed[^]*--confirm[^]*exit 15/);
  });
});
