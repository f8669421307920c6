import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasTool } from '../helpers/cli.js';
import { isRoot } from '../helpers/surroundings.js';
import { binary } from './cli.js';
import { scheduledSite } from './scheduled.js';

const spool = '/var/spool/cron/crontabs';

interface Isolated {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A shell in mounts of its own, where the spool of cron is empty: the real one is never touched. `$bkp` calls bkp. */
function isolated(script: string, root = '/'): Isolated {
  const setup = `set -e; mount -t tmpfs tmpfs ${spool}; chown root:crontab ${spool}; chmod 1730 ${spool}`;
  return spawnSync('unshare', ['-m', '--propagation', 'private', 'sh', '-c', `${setup}; cd ${root}; ${script}`], {
    encoding: 'utf8',
    // Units, where any are looked for, are those of nobody.
    env: {
      PATH: process.env['PATH'],
      HOME: root,
      XDG_CONFIG_HOME: join(root, 'none'),
      bkp: `${process.execPath} ${binary}`,
    },
  });
}

const canIsolate = isRoot && hasTool('crontab') && hasTool('unshare') && isolated('true').status === 0;

describe.runIf(canIsolate)('bkp schedule install (needs root and mounts of its own)', () => {
  it('writes one line that runs what is due, once however often, and takes it out again', async () => {
    const { root } = await scheduledSite();
    const script = [
      "printf '# mine\\n17 3 * * * old\\n' | crontab -",
      '$bkp schedule install -q; crontab -l > first; $bkp schedule install -q; crontab -l > second',
      'cmp first second; cat second; echo ---; $bkp schedule uninstall -q; crontab -l; $bkp schedule uninstall',
    ].join('; ');
    const ran = isolated(script, root);
    expect(ran.stderr).toBe('');
    const [installed, left] = ran.stdout.split('---\n');
    const lines = installed?.trimEnd().split('\n') ?? [];
    expect(lines.slice(0, 2)).toEqual(['# mine', '17 3 * * * old']);
    expect(lines.slice(2)).toEqual([
      expect.stringMatching(/^# bkp site-[0-9a-f]{8} begin$/),
      expect.stringMatching(/^# Written by `bkp schedule install`/),
      `*/10 * * * * ${process.execPath} ${binary} -C ${root} schedule run -q`,
      expect.stringMatching(/^# bkp site-[0-9a-f]{8} end$/),
    ]);
    expect(left).toMatch(/^# mine\n17 3 \* \* \* old\nNothing of site-[0-9a-f]{8} was installed\.\n$/);
  });

  it('writes a line for each enabled schedule with --direct, in the place of the other', async () => {
    const { root } = await scheduledSite({
      daily: ['--at', '03:30'],
      weekly: ['--every', 'weekly', '--on', 'sun', '--at', '04:05'],
      off: ['--disabled'],
    });
    const ran = isolated(
      "$bkp schedule install -q; TZ=UTC $bkp schedule install --direct -q; crontab -l | grep -v '^#'",
      root,
    );
    expect(ran.stderr).toBe('');
    const call = (name: string): string => `${process.execPath} ${binary} -C ${root} create --schedule ${name} -q`;
    expect(ran.stdout).toBe(`30 3 * * * ${call('daily')}\n5 4 * * 0 ${call('weekly')}\n`);
  });

  it('writes a line that works as it stands', async () => {
    const { root } = await scheduledSite();
    const line = `$bkp schedule install -q; cd /; crontab -l | grep -v '^#' | cut -d' ' -f6- > ${spool}/line`;
    const ran = isolated(`${line}; env -i sh ${spool}/line; echo ended $?`, root);
    expect(ran).toMatchObject({ status: 0, stdout: 'ended 0\n', stderr: '' });
  });

  it('shows with --print, and changes nothing', async () => {
    const { root } = await scheduledSite();
    const ran = isolated('$bkp schedule install --print; crontab -l 2>&1 || true', root);
    expect(ran.stdout).toBe(
      `*/10 * * * * ${process.execPath} ${binary} -C ${root} schedule run -q\nno crontab for root\n`,
    );
  });

  it('tells JSON by the name of each command', async () => {
    const { root } = await scheduledSite();
    const ran = isolated('$bkp schedule install --json; $bkp schedule uninstall --json', root);
    const lines = ran.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.filter(({ type }) => type === 'summary')).toMatchObject([
      {
        command: 'schedule install',
        change: 'installed',
        where: 'crontab',
        lines: [expect.stringContaining('schedule run')],
      },
      { command: 'schedule uninstall', change: 'removed', where: 'crontab', lines: [] },
    ]);
  });
});

describe('bkp schedule install', () => {
  it('refuses what contradicts itself, and read-only mode', async () => {
    const calls = await scheduledSite({});
    const refused = await Promise.all([
      calls.run('schedule', 'install', '--direct', '--systemd', '--print'),
      calls.run('schedule', 'install', '--system', '--print'),
      calls.run('schedule', 'install', '--direct', '--print'),
      calls.with({ BKP_READ_ONLY: '1' }).run('schedule', 'install', '--print'),
    ]);
    expect(refused.map(({ code, stdout }) => [code, stdout])).toEqual([
      [2, ''],
      [2, ''],
      [2, ''],
      [15, ''],
    ]);
    expect(refused[2].stderr).toMatch(/there is no schedule that is enabled/);
  });

  it('prints units that call bkp for this instance', async () => {
    const { root, run } = await scheduledSite({});
    const { stdout, code } = await run('schedule', 'install', '--systemd', '--print');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^# bkp-site-[0-9a-f]{8}\.service$/m);
    expect(stdout).toMatch(/^# bkp-site-[0-9a-f]{8}\.timer$/m);
    expect(stdout).toContain(root);
  });
});
