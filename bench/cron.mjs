// Lets a real cron make backups of a small site, as root on a machine that may be used for it:
//
//   node bench/cron.mjs [--minutes 4]
//
// Needs the packages cron and faketime of Debian. `bkp schedule install` writes the crontab, whose line is then made to run each
// minute; an hourly schedule (keep 2) is moved to the next minute again and again, so that a slot is due in each. Every backup
// has to be made in cron's bare environment, and two have to be left, both of which verify. After `bkp schedule uninstall`, and
// three hours later by a clock that is set on, `bkp status` has to end with 16. Takes a little longer than its minutes; the
// user's crontab is put back, and a cron that ran already goes on. Ends with 1 where anything is not so.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const fixture = fileURLToPath(new URL('../fixtures/site', import.meta.url));
const binary = fileURLToPath(new URL('../bin/bkp.js', import.meta.url));
const keep = 2;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '4' } } });
const minutes = Number(values.minutes);
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'bkp-cron-')));
const root = join(folder, 'site');
const environmentFile = join(folder, 'environment');

function expectThat(holds, message) {
  if (!holds) throw new Error(message);
}

function call(command, args, input) {
  const ran = spawnSync(command, args, { encoding: 'utf8', input });
  if (ran.error !== undefined) throw ran.error;
  return ran;
}

/** The command line on the site; `under`: words before it. */
function bkp(args, under = []) {
  const [command, ...rest] = [...under, process.execPath, binary, '-C', root, ...args];
  return call(command, rest);
}

function done(args) {
  const ran = bkp(args);
  expectThat(ran.status === 0, `bkp ${args.join(' ')} ended with ${ran.status}: ${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}

const jsonOf = (text, type) =>
  text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)].filter((one) => one.type === type)));

const readCrontab = () => {
  const { status, stdout } = call('crontab', ['-l']);
  return status === 0 ? stdout : undefined;
};

const writeCrontab = (text) =>
  text === undefined
    ? call('crontab', ['-r'])
    : expectThat(call('crontab', ['-'], text).status === 0, 'crontab failed');

const isCronRunning = () => {
  if (!existsSync('/run/crond.pid')) return false;
  const pid = readFileSync('/run/crond.pid', 'utf8').trim();
  return existsSync(`/proc/${pid}/comm`) && readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'cron';
};

function makeSite() {
  cpSync(fixture, root, {
    ...{ recursive: true, preserveTimestamps: true, verbatimSymlinks: true },
    filter: (path) => !path.endsWith('/var/backups'),
  });
  const hook = `hooks: { afterCreate: ['sh', '-c', 'env > ${environmentFile}'] }\n`;
  writeFileSync(join(root, '.backuprc'), hook, { mode: 0o600 });
}

/** Sets the schedule to the minute that is next. */
function setToNextMinute() {
  const next = new Date(Date.now() + 60_000).toISOString().slice(14, 16);
  done([
    'schedule',
    'set',
    'often',
    '--every',
    'hourly',
    '--at',
    `00:${next}`,
    '--timezone',
    'UTC',
    '--keep',
    `${keep}`,
  ]);
}

const made = () => jsonOf(done(['list', '--json']), 'backup').flatMap(({ id }) => id ?? []);
const runs = () => jsonOf(done(['log', '--list', '--json']), 'run').filter(({ kind }) => kind === 'create');

/** Each minute the schedule is moved on, once what cron made of the last minute is there. */
async function letCronWork() {
  const seen = new Set();
  for (let minute = 0; minute < minutes; minute++) {
    setToNextMinute();
    const until = Date.now() + 100_000;
    let fresh;
    while (fresh === undefined && Date.now() < until) {
      await sleep(1000);
      fresh = existsSync(join(root, 'var/backups')) ? made().find((id) => !seen.has(id)) : undefined;
    }
    expectThat(fresh !== undefined, `cron made no backup in 100 s: ${JSON.stringify(runs().at(0))}`);
    seen.add(fresh);
    console.log(`${new Date().toISOString().slice(11, 19)}  cron made ${fresh}`);
  }
  // What it prunes comes last.
  await sleep(3000);
  return [...seen];
}

function checkBackups(all) {
  const left = made();
  console.log(`left: ${left.join(', ')}`);
  expectThat(left.toSorted().join() === all.slice(-keep).toSorted().join(), `${keep} of ${all.length} were to be left`);
  expectThat(runs().length === all.length, 'there were other runs than those of cron');
  console.log(done(['verify', '--all']).trim());
  const environment = readFileSync(environmentFile, 'utf8').trim().split('\n');
  const own = environment.filter((line) => !line.startsWith('BKP_HOOK_'));
  console.log(`its environment: ${own.join(' ')}`);
  expectThat(own.includes('PATH=/usr/bin:/bin'), 'this is not the environment of cron');
}

function checkStatus() {
  const now = bkp(['status']);
  console.log(`status now: ${now.status}`);
  expectThat(now.status === 0, `status ended with ${now.status}: ${now.stdout}`);
  const later = bkp(['status', '-q'], ['faketime', '-f', '+3h']);
  console.log(`status in three hours: ${later.status}\n${later.stdout.trim()}`);
  expectThat(later.status === 16 && later.stdout.includes('schedule-overdue'), `status ended with ${later.status}`);
}

async function main() {
  makeSite();
  setToNextMinute();
  done(['schedule', 'install']);
  const installed = readCrontab() ?? '';
  console.log(installed.trim());
  writeCrontab(installed.replace(/^\*\/10 (?=.*bkp)/m, '* '));
  checkBackups(await letCronWork());
  done(['schedule', 'uninstall']);
  expectThat(readCrontab()?.includes(root) !== true, 'the crontab still names the site');
  checkStatus();
}

const before = readCrontab();
const cron = isCronRunning() ? undefined : spawn('cron', ['-f'], { stdio: 'ignore' });
try {
  expectThat(process.getuid() === 0, 'only root may start cron');
  await main();
  rmSync(folder, { recursive: true });
  console.log('cron made what was due, and status tells when it stopped');
} catch (error) {
  console.error(`${error.stack}\nkept: ${folder}`);
  process.exitCode = 1;
} finally {
  writeCrontab(before);
  cron?.kill();
}
