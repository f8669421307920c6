import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { entryPoint } from '../../src/base/entry-point.js';
import { unitPlace } from '../../src/system/systemd.js';
import { systemdUnits } from '../../src/system/systemd-units.js';
import { hasTool } from '../helpers/cli.js';
import { isRoot, temporaryFolder } from '../helpers/surroundings.js';

const key = 'site-12345678';
const plain = ['/usr/bin/node', '/opt/bkp.js', '-C', '/srv/cms', 'schedule', 'run', '-q'];

describe('the units', () => {
  it('are a call of bkp and a timer for it', () => {
    const { service, timer } = systemdUnits(key, plain);
    expect([service.name, timer.name]).toEqual(['bkp-site-12345678.service', 'bkp-site-12345678.timer']);
    expect(service.text).toContain(
      '\n[Service]\nType=oneshot\nExecStart="/usr/bin/node" "/opt/bkp.js" "-C" "/srv/cms" "schedule" "run" "-q"\n',
    );
    expect(timer.text).toContain('\n[Timer]\nOnCalendar=*:0/10\nPersistent=true\n');
    expect(timer.text).toContain('\n[Install]\nWantedBy=timers.target\n');
  });

  it('escape what systemd would take for something else', () => {
    const { service } = systemdUnits(key, ['/a$b', '100%', '$HOME', '${X}', 'back\\slash', '"', "'", ';', '', 'ä b']);
    expect(service.text).toContain(
      'ExecStart="/a$b" "100%%" "$$HOME" "$${X}" "back\\\\slash" "\\"" "\'" ";" "" "ä b"\n',
    );
    for (const words of [['/bin/true', 'new\nline'], ['/bin/true', 'nul\0'], ['/"'], ["/'"], ['/back\\slash']]) {
      expect(() => systemdUnits(key, words)).toThrow('a systemd unit cannot hold this word');
    }
  });

  it.runIf(hasTool('systemd-analyze'))('are understood by systemd', () => {
    const folder = temporaryFolder();
    const program = join(folder, 'a 100% $HOME ${X} ä');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
    const verify = (words: readonly string[]): string => {
      const { service, timer } = systemdUnits(key, words);
      for (const { name, text } of [service, timer]) writeFileSync(join(folder, name), text);
      const paths = [service, timer].map(({ name }) => join(folder, name));
      const ran = spawnSync('systemd-analyze', ['verify', ...paths], { encoding: 'utf8' });
      // Of other units of this machine it may say something too.
      return ran.stderr
        .split('\n')
        .filter((line) => line.includes(key) || line.includes(folder))
        .join('\n');
    };
    expect(verify([program, '-C', 'back\\slash', '"', ';', '%n', "'"])).toBe('');
    // It does look: a program that is not there is told, by its own name.
    expect(verify([`${program}-missing`])).toContain(`${program}-missing is not executable`);
  });
});

it('the folder of the units is that of systemd', () => {
  expect(unitPlace('system', {}).folder).toBe('/etc/systemd/system');
  expect(unitPlace('user', { XDG_CONFIG_HOME: '/home/me/conf' }).folder).toBe('/home/me/conf/systemd/user');
  for (const env of [{}, { XDG_CONFIG_HOME: 'relative' }])
    expect(unitPlace('user', env).folder).toMatch(/^\/.*\/\.config\/systemd\/user$/);
});

interface Systemd {
  /** Whether it has been booted with; undefined: as it is here. */
  readonly booted: boolean;
  /** The `systemctl` command, a shell script; undefined: none. */
  readonly systemctl: string | undefined;
}

/** Does something with the units in a process of its own, in mounts of its own, with another systemd than this machine has. */
function withSystemd(folder: string, call: 'installUnits' | 'removeUnits', { booted, systemctl }: Systemd): unknown {
  const scratch = temporaryFolder();
  const bin = join(scratch, 'bin');
  mkdirSync(bin);
  if (systemctl !== undefined) writeFileSync(join(bin, 'systemctl'), `#!/bin/sh\n${systemctl}\n`, { mode: 0o755 });
  const load = (path: string): string => JSON.stringify(pathToFileURL(entryPoint(path)).href);
  const program = join(scratch, 'program.mjs');
  writeFileSync(
    program,
    `const systemd = await import(${load('system/systemd.js')});
     const { systemdUnits } = await import(${load('system/systemd-units.js')});
     const units = systemdUnits('${key}', ${JSON.stringify(plain)});
     try { console.log(JSON.stringify(await systemd.${call}(units, { scope: 'user', folder: ${JSON.stringify(folder)} }))); }
     catch (error) { console.log(JSON.stringify({ id: error.id, message: error.message })); }`,
  );
  const script = `mount -t tmpfs tmpfs /run && ${booted ? 'mkdir -p /run/systemd/system' : 'true'} &&
    PATH='${bin}' '${process.execPath}' '${program}'`;
  const ran = spawnSync('unshare', ['-m', '--propagation', 'private', '/bin/sh', '-c', script], { encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(ran.stderr);
  return JSON.parse(ran.stdout);
}

const canIsolate =
  isRoot && hasTool('unshare') && spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/run']).status === 0;

describe.runIf(canIsolate)('installing (needs root and mounts of its own)', () => {
  const names = ['bkp-site-12345678.service', 'bkp-site-12345678.timer'];
  const install = ['systemctl --user daemon-reload', 'systemctl --user enable --now bkp-site-12345678.timer'];
  const remove = ['systemctl --user disable --now bkp-site-12345678.timer', 'systemctl --user daemon-reload'];

  it('writes the units and has systemd start the timer', () => {
    const folder = join(temporaryFolder(), 'config/systemd/user');
    const log = join(temporaryFolder(), 'log');
    const systemd = { booted: true, systemctl: `echo systemctl "$@" >> ${log}` };
    const files = names.map((name) => join(folder, name));
    const done = { files, toRun: [] };
    expect(withSystemd(folder, 'installUnits', systemd)).toEqual(done);
    expect(withSystemd(folder, 'installUnits', systemd)).toEqual(done);
    expect(readdirSync(folder)).toEqual(names);
    for (const file of files) expect(statSync(file).mode & 0o7777).toBe(0o644);
    expect(withSystemd(folder, 'removeUnits', systemd)).toEqual(done);
    expect(readdirSync(folder)).toEqual([]);
    expect(withSystemd(folder, 'removeUnits', systemd)).toEqual({ files: [], toRun: [] });
    expect(readFileSync(log, 'utf8')).toBe([...install, ...install, ...remove, ''].join('\n'));
  });

  it.each([
    ['systemd does not run', { booted: false, systemctl: 'exit 0' }, 'systemd does not run here'],
    ['there is no systemctl', { booted: true, systemctl: undefined }, 'there is no `systemctl` command'],
    [
      'it fails',
      { booted: true, systemctl: 'echo "no bus" >&2; exit 1' },
      'systemctl --user daemon-reload failed: no bus',
    ],
  ])('tells what is left to be run where %s', (_, systemd, reason) => {
    const folder = temporaryFolder();
    const files = names.map((name) => join(folder, name));
    expect(withSystemd(folder, 'installUnits', systemd)).toEqual({ files, toRun: install, reason });
    expect(readdirSync(folder)).toEqual(names);
    expect(withSystemd(folder, 'removeUnits', systemd)).toMatchObject({ files, toRun: remove });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves what others have written', () => {
    const folder = temporaryFolder();
    const systemd = { booted: false, systemctl: undefined };
    writeFileSync(join(folder, names[1]!), '[Timer]\nOnCalendar=daily\n');
    const refused = { id: 'unit-foreign', message: expect.stringContaining(names[1]!) as string };
    for (const call of ['installUnits', 'removeUnits'] as const)
      expect(withSystemd(folder, call, systemd)).toEqual(refused);
    expect(readFileSync(join(folder, names[1]!), 'utf8')).toContain('daily');
    expect(existsSync(join(folder, names[0]!))).toBe(false);
    const dangling = temporaryFolder();
    symlinkSync('/no/such/file', join(dangling, names[0]!));
    expect(withSystemd(dangling, 'installUnits', systemd)).toMatchObject({ id: 'output-unwritable' });
  });

  it('says where it may not write', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const systemd = { booted: false, systemctl: undefined };
    expect(withSystemd(join(file, 'user'), 'installUnits', systemd)).toMatchObject({
      id: 'output-unwritable',
      message: expect.stringMatching(/bkp-site-12345678\.service cannot be written: ENOTDIR/) as string,
    });
  });
});
