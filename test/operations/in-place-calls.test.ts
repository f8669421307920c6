import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hasTool } from '../helpers/cli.js';
import { isFull } from '../helpers/rounds.js';

const script = fileURLToPath(new URL('../../bench/fail-restore.mjs', import.meta.url));

/** A share of what the script does in the whole; gives its last line, or what it found. */
function failing(...args: string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  const found = stdout.split('\n').filter((line) => line.startsWith('{'));
  return [...found, stderr, stdout.trim().split('\n').at(-1)].join('\n').trim();
}

describe.skipIf(!hasTool('strace'))('whichever system call fails, the instance is the old one or the new one', () => {
  it('in a restore in place', { timeout: 240_000 }, () => {
    const calls = ['--calls', 'move,sync', '--codes', 'ENOSPC,EIO,EACCES,EXDEV,EBUSY'];
    expect(failing(...calls, '--share', isFull ? '60/113' : '60/337')).toMatch(/^\d+ runs, 0 violations$/);
  });

  it('in the recovery of one that was killed', { timeout: 240_000 }, () => {
    expect(
      failing('--recovery', '--calls', 'move', '--codes', 'EIO,EBUSY', '--share', isFull ? '3/9' : '3/17'),
    ).toMatch(/^\d+ runs, 0 violations$/);
  });
});
