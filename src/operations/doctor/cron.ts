import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { systemCode } from '../../base/errors.js';
import { ok, warn, type Check } from './check.js';

export const cron: Check<unknown> = {
  id: 'cron',
  run: (_about, { searchPath }) => {
    const program = findProgram('crontab', searchPath);
    if (program !== undefined && daemonRuns() !== false) return [ok(`crontab is ${program}`, program)];
    if (existsSync('/run/systemd/system'))
      return [ok('there is no cron at work, but systemd: its timers can call bkp')];
    if (program !== undefined) return [warn(`crontab is ${program}, but no cron daemon is at work`, start, program)];
    return [warn('there is no crontab command', install)];
  },
};

const start = 'Start it (`service cron start`), or let something else call bkp.';
const install = 'Install cron, or let something else call bkp: the scheduler of the host, for example.';

function findProgram(name: string, searchPath: string | undefined): string | undefined {
  const folders = (searchPath ?? '').split(':').filter(isAbsolute);
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

const daemons = new Set(['cron', 'crond', 'fcron', 'dcron', 'bcron-sched', 'supercronic']);

/** Undefined where other users' processes cannot be seen. */
function daemonRuns(): boolean | undefined {
  if (nameOf('1') === undefined) return undefined;
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && daemons.has(nameOf(name) ?? ''));
}

/** Undefined where the process is gone, or there is no `/proc`. */
function nameOf(process: string): string | undefined {
  try {
    return readFileSync(`/proc/${process}/comm`, 'utf8').trim();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
