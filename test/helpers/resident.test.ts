import { expect, it } from 'vitest';
import { bkpProcess } from './cli.js';
import { residentBkp } from './resident.js';
import { temporaryFolder } from './surroundings.js';

const timeless = (text: string): string => text.replace(/"time":"[^"]*"/, '"time":""');

it('ends and tells in a process that stays as in one of its own, and forgets the run before', async () => {
  const cwd = temporaryFolder();
  const env = { PATH: process.env['PATH'] };
  for (const [args, settings] of [
    [['--version'], {}],
    [['create', '--no-such-option'], {}],
    [['-C', 'nowhere', 'list', '--json'], {}],
    [['list'], { BKP_STORAGE: 'nowhere' }],
    [['list'], {}],
  ] as const) {
    const run = { cwd, env: { ...env, ...settings } };
    const { code, stdout, stderr } = await bkpProcess(args, run);
    const ran = await residentBkp({ args, ...run });
    expect({ ...ran, stdout: timeless(ran.stdout) }).toMatchObject({
      code,
      stdout: timeless(stdout),
      stderr,
      signal: null,
    });
  }
});
