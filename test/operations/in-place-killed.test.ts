import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { rounds } from '../helpers/rounds.js';

it('ends with the old state or the new one, wherever a restore in place and its recovery are killed', () => {
  const script = fileURLToPath(new URL('../../bench/kill-restore.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script, String(rounds(4, 12)), '--seed', '7'], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
}, 180_000);
