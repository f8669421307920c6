import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { entryPoint } from '../../src/base/entry-point.js';
import { readJournal, type Journal } from '../../src/fs/journal.js';
import { recoverSwap } from '../../src/fs/swap.js';
import { surveySwap } from '../../src/fs/swap-survey.js';
import { rounds } from '../helpers/rounds.js';
import { everyKind, expectedAfter, inventory, journalOf, snapshot, sorted } from './swap-scenes.js';

/** The number of a late change, so that there is much to move back. */
const late = 20;

/** Of these changes one is died before: swap.test.ts lets a swap end before each of them, without a process. */
const step = rounds(3, 1);

it.each([
  ['while it commits, and while that is recovered', undefined],
  ['while it moves back after a failure, and while that is recovered', late],
])('a process that is killed for good %s, leaves what can be ended', { timeout: 300_000 }, async (_, failAt) => {
  for (let n = failAt === undefined ? 0 : failAt + 1; ; n += step) {
    const made = await everyKind();
    const { folder } = await journalOf(made);
    const before = snapshot(made.root);
    const wanted = expectedAfter(made);
    const all = inventory(made.root);
    if (!isKilled(folder, n, failAt)) break;
    const { phase } = readJournal(folder)!;
    isKilled(folder, n % 5);
    const ended: Journal = (await recoverSwap(folder))!;
    const isNew = phase === 'committing';
    expect(ended.phase).toBe(isNew ? 'committed' : 'undone');
    expect(sorted(snapshot(made.root))).toEqual(sorted(isNew ? wanted : before));
    expect(inventory(made.root)).toEqual(all);
    expect(surveySwap(ended)).toEqual([]);
  }
});

function isKilled(folder: string, n: number, failAt = -1): boolean {
  const script = fileURLToPath(new URL('swap-killed.mjs', import.meta.url));
  const modules = dirname(entryPoint('fs/swap.js'));
  const args = [script, modules, folder, String(n), String(failAt)];
  const { signal, status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(signal === 'SIGKILL' || status === 0, stderr).toBe(true);
  return signal === 'SIGKILL';
}
