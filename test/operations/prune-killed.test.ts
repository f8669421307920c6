import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { rounds } from '../helpers/rounds.js';

it('leaves what retention keeps, and nothing half, wherever a run that removes backups is killed', () => {
  const script = fileURLToPath(new URL('../../bench/kill-prune.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script, String(rounds(2, 4)), '--seed', '3'], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
}, 180_000);
