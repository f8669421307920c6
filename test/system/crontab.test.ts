import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { entryPoint } from '../../src/base/entry-point.js';
import { hasTool } from '../helpers/cli.js';
import { isRoot, temporaryFolder } from '../helpers/surroundings.js';

const spool = '/var/spool/cron/crontabs';

/** A shell in mounts of its own, where the spool of cron is empty: the real one is never touched. */
function isolated(script: string): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  const setup = `set -e; mount -t tmpfs tmpfs ${spool}; chown root:crontab ${spool}; chmod 1730 ${spool}`;
  return spawnSync('unshare', ['-m', '--propagation', 'private', 'sh', '-c', `${setup}; ${script}`], {
    encoding: 'utf8',
  });
}

const canIsolate = isRoot && hasTool('crontab') && hasTool('unshare') && isolated('true').status === 0;

/** Runs a module program that has the crontab module as `crontab` and the blocks as `blocks`. */
function program(body: string): string {
  const load = (name: string, path: string): string =>
    `const ${name} = await import(${JSON.stringify(pathToFileURL(entryPoint(path)).href)});`;
  const text = `${load('crontab', 'system/crontab.js')} ${load('blocks', 'system/crontab-block.js')} ${body}`;
  const file = join(temporaryFolder(), 'program.mjs');
  writeFileSync(file, text);
  return `'${process.execPath}' '${file}'`;
}

const add = (lines: string): string =>
  program(`console.log(await crontab.changeCrontab((text) => blocks.withBlock(text, 'site', ${lines})))`);
const remove = (): string =>
  program(`console.log(await crontab.changeCrontab((text) => blocks.withoutBlock(text, 'site')))`);

describe.runIf(canIsolate)('the real crontab (needs root and mounts of its own)', () => {
  it('gets a block where there was none, and is none again', () => {
    const ran = isolated(
      `crontab -l 2>&1 || true; ${add("['*/10 * * * * true']")}; crontab -l; ${remove()}; ${remove()}; crontab -l 2>&1 || true`,
    );
    expect(ran.stderr).toBe('');
    expect(ran.stdout.split('\n')).toEqual([
      'no crontab for root',
      'true',
      '# bkp site begin',
      '# Written by `bkp schedule install`, removed by `bkp schedule uninstall`.',
      '*/10 * * * * true',
      '# bkp site end',
      'true',
      'false',
      'no crontab for root',
      '',
    ]);
  });

  it('keeps every other line', () => {
    const before = '# mine\n\n17 3 * * * old\n';
    const ran = isolated(
      `printf '${before.replaceAll('\n', '\\n')}' | crontab -; ${add("['@daily true']")}; ${add("['@daily true']")};
       ${remove()}; echo ---; crontab -l`,
    );
    expect(ran).toMatchObject({ stderr: '', stdout: `true\nfalse\ntrue\n---\n${before}` });
  });

  it('is as it was where cron refuses the new one', () => {
    const failing = program(`
      try { await crontab.changeCrontab((text) => blocks.withBlock(text, 'site', ['99 99 * * * true'])); }
      catch (error) { console.log(error.id, error.exitCode, error.message); }`);
    const ran = isolated(`echo '@daily old' | crontab -; ${failing}; crontab -l`);
    expect(ran.stdout).toMatch(/^crontab-failed 1 the crontab cannot be written: .*bad minute.*\n@daily old\n$/s);
  });
});

/** The crontab command of another kind, or none: first in the PATH. */
function withCommand(script: string | undefined, body: string): string {
  const folder = join(temporaryFolder(), 'bin');
  mkdirSync(folder);
  if (script !== undefined) {
    writeFileSync(join(folder, 'crontab'), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, 'crontab'), 0o755);
  }
  const ran = spawnSync('/bin/sh', ['-c', program(body)], { encoding: 'utf8', env: { PATH: folder } });
  return ran.stdout + ran.stderr;
}

const told = (call: string): string =>
  `try { console.log(String(await ${call})); } catch (error) { console.log(error.id, error.exitCode, error.message); }`;

describe('a crontab command', () => {
  it('that is not there is named', () => {
    const said = withCommand(undefined, told('crontab.readCrontab()'));
    expect(said).toBe('cron-missing 1 there is no `crontab` command: cron is not installed\n');
  });

  it('that refuses this user says so', () => {
    const refusal = 'You (nobody) are not allowed to use this program (crontab)';
    const said = withCommand(`echo '${refusal}' >&2; exit 1`, told('crontab.readCrontab()'));
    expect(said).toBe(`crontab-failed 1 the crontab cannot be read: ${refusal}\n`);
    expect(withCommand('exit 7', told("crontab.writeCrontab(Buffer.from('x\\n'))"))).toBe(
      'crontab-failed 1 the crontab cannot be written: it ended with code 7\n',
    );
    expect(withCommand('kill -KILL $$', told('crontab.readCrontab()'))).toContain('it was ended by SIGKILL');
  });

  it('may say in several ways that there is none', () => {
    for (const none of [
      'no crontab for me',
      'crontab: no crontab for me',
      "crontab: can't open 'me': No such file or directory",
    ]) {
      expect(withCommand(`echo "${none}" >&2; exit 1`, told('crontab.readCrontab()'))).toBe('\n');
    }
  });

  it('that keeps something else than it was given is told', () => {
    const said = withCommand(
      'echo "@daily somebody"',
      told("crontab.changeCrontab((text) => blocks.withBlock(text, 'a', ['@daily x']))"),
    );
    expect(said).toMatch(/^crontab-failed 1 the crontab is not what was written just now/);
  });
});
