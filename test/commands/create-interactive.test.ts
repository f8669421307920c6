import { describe, expect, it } from 'vitest';
import { hasTool } from '../helpers/cli.js';
import { describeTree } from '../helpers/instance.js';
import { openTerminal } from '../helpers/terminal.js';
import { archivesIn, binary, bkp, lastLine, site, storageOf } from './cli.js';

const call = (root: string, ...args: readonly string[]): string =>
  [process.execPath, binary, '-C', root, 'create', '-i', ...args].join(' ');

const sources = /What of site is to be backed up\?/;
const encrypt = /Encrypt it\?/;
const format = /In which format\?/;
const passphrase = /Passphrase for the new archive \(it is not shown\): *$/m;

describe.skipIf(!hasTool('tmux'))('bkp create -i', () => {
  it('asks for sources, encryption and format, and makes what flags would', async () => {
    const root = site();
    const { until, press } = openTerminal(call(root, '--no-snapshots', '--comment', 'asked'));
    const first = await until(sources);
    expect(first).toMatch(/^> +1 +\[x\] +all databases +2 .*\n +2 +\[x\] +system\.brain/m);
    expect(first).toMatch(/\[ \] +snapshots +6 +139 KiB/);
    expect(first).toMatch(/\[x\] +uploads +42 +244 KiB/);
    expect(first).toMatch(/\[ \] +config .*may hold secrets/);
    press('Down', 'Space', '5', 'Space', 'Enter');
    await until(encrypt);
    press('Enter');
    await until(format);
    press('tar', 'Enter');
    const seen = await until(/exit \d+/);
    expect(seen).toMatch(/is complete; every file[^]*sources +user\.brain\n[^]*exit 0/);
    expect(archivesIn(root)).toEqual([expect.stringMatching(/\.tar\.gz$/)]);
    const shown = lastLine(await bkp(['-C', root, 'show', 'latest', '--json']));
    expect(shown).toMatchObject({ comment: 'asked' });
  });

  it('can be left at each step: nothing is made', async () => {
    const root = site();
    const before = describeTree(root);
    const { until, press } = openTerminal(
      `for n in 1 2 3 4; do clear; ${call(root)}; echo "left $n $?"; read go; done`,
    );
    const steps = [
      { seen: sources, keys: ['Enter'] },
      { seen: encrypt, keys: ['Enter'] },
      { seen: format, keys: ['Enter'] },
    ];
    for (const [last, { seen }] of steps.entries()) {
      for (const step of steps.slice(0, last)) {
        await until(step.seen);
        press(...step.keys);
      }
      await until(seen);
      press(last === 1 ? 'C-c' : 'Escape');
      await until(new RegExp(`left ${last + 1} 130`));
      press('Enter');
    }
    await until(sources);
    press('Enter');
    await until(encrypt);
    press('yes', 'Enter');
    await until(passphrase);
    press('Escape');
    await until(/left 4 130/);
    expect(describeTree(root)).toEqual(before);
  });

  it('is a usage error where nobody is to be asked, and beside --schedule', async () => {
    const root = site();
    const ways = ['--no-input', '--json', '| cat'];
    const { until } = openTerminal(
      `${ways.map((way) => call(root, way)).join('; ')}; ${call(root, '--schedule daily')}`,
    );
    const seen = await until(/exit \d+/);
    expect(seen.match(/--interactive needs a terminal/g)).toHaveLength(ways.length);
    expect(seen).toMatch(/--interactive and --schedule contradict[^]*exit 2/);
    expect(() => archivesIn(root)).toThrow(storageOf(root));
  });
});
