import type { Command } from 'commander';
import { globalOptions } from './global-options.js';
import type { Choose } from './job.js';
import { addPassphraseOptions } from './passphrase-options.js';
import type { ScheduleSetOptions } from './schedule-arguments.js';
import type { InstallOptions } from './schedule-install.js';
import type { ScheduleRunOptions } from './schedule-run.js';
import { collected } from './usage.js';

const examples = `
Examples:
  bkp schedule set daily --every daily --at 03:30 --keep 7
  bkp schedule set weekly --every weekly --at 04:00 --on sun --keep 5
  bkp schedule list     what there is, and when each is due
  bkp schedule install  let cron run what is due
  bkp schedule run      run what is due now

Schedules lie in the table backup_schedule of system.brain; in schedules.json in
the storage where an instance has none.`;

/** `bkp schedule …`: what is to run by itself, and when. */
export function registerSchedule(program: Command, choose: Choose): Command {
  const group = program.command('schedule').description('Set, show and run schedules.').addHelpText('after', examples);
  registerList(group, choose);
  registerSet(group, choose);
  registerSwitches(group, choose);
  registerNext(group, choose);
  registerRun(group, choose);
  registerInstall(group, choose);
  return group;
}

function registerList(group: Command, choose: Choose): void {
  group
    .command('list')
    .description('Show the schedules, when each is due next and how its last run ended.')
    .action((_options: object, command: Command) => {
      const globals = globalOptions(command);
      const run: Parameters<Choose>[0]['run'] = async (deps) =>
        (await import('./schedule-look.js')).listSchedules(globals, deps);
      choose({ name: 'schedule list', dryRun: false, globals, run });
    });
}

const setExamples = `
Examples:
  bkp schedule set daily --every daily --at 03:30 --keep 7 --keep-weekly 4
  bkp schedule set hourly --every hourly --at 00:15 --scopes databases --keep 24
  bkp schedule set monthly --every monthly --on 31 --at 02:00 --keep 12
                                     in shorter months: their last day
  bkp schedule set daily --at 04:00  changes that, leaves the rest`;

function registerSet(group: Command, choose: Choose): void {
  group
    .command('set')
    .argument('<name>', 'a to z, 0 to 9 and hyphens')
    .description('Make a schedule, or change what is given of one. It counts from now.')
    .option('--every <frequency>', 'hourly, daily, weekly or monthly')
    .option('--at <HH:MM>', 'time of day (default 03:30); of an hourly one the minutes count')
    .option('--on <day>', 'weekly: mon to sun; monthly: 1 to 31, the last day where a month is shorter')
    .option('--timezone <zone>', 'such as Europe/Berlin (default: that of the system)')
    .option('--keep <n>', 'complete backups that stay (default 7)')
    .option('--keep-hourly <n>', 'and the newest of each of n hours')
    .option('--keep-daily <n>', 'and the newest of each of n days')
    .option('--keep-weekly <n>', 'and the newest of each of n weeks')
    .option('--keep-monthly <n>', 'and the newest of each of n months')
    .option('--keep-yearly <n>', 'and the newest of each of n years')
    .option('--scopes <scope,…>', 'exactly these: databases, snapshots, uploads, config, or your own', collected)
    .option('--project <name>', 'of the snapshots, only those of this project')
    .option('--format <format>', 'zip or tar.gz (default: as configured)')
    .option('-l, --level <0-9>', '0 stores, 9 is smallest')
    .option('--exclude <glob>', 'leave out what matches source/path (repeatable)', collected)
    .option('--comment <text>', 'a line that its backups carry')
    .option('--encrypt', 'encrypt its backups, whatever the configuration says')
    .option('--no-encrypt', 'do not')
    .option('--hint <text>', 'where the passphrase is kept')
    .option('--disabled', 'make it without turning it on')
    .addHelpText('after', setExamples)
    .action((name: string, options: ScheduleSetOptions, command: Command) => {
      const globals = globalOptions(command);
      const run: Parameters<Choose>[0]['run'] = async (deps) =>
        (await import('./schedule-change.js')).setSchedule(name, options, globals, deps);
      choose({ name: 'schedule set', dryRun: false, globals, run });
    });
}

const switches = {
  enable: 'Turn a schedule on: it counts from now.',
  disable: 'Turn a schedule off; its backups stay, and so does what it keeps.',
  remove: 'Remove a schedule; its backups stay, and nothing removes them by itself any more.',
} as const;

function registerSwitches(group: Command, choose: Choose): void {
  for (const kind of ['enable', 'disable', 'remove'] as const) {
    group
      .command(kind)
      .argument('<name>')
      .description(switches[kind])
      .action((name: string, _options: object, command: Command) => {
        const globals = globalOptions(command);
        const run: Parameters<Choose>[0]['run'] = async (deps) =>
          (await import('./schedule-change.js')).switchSchedule(kind, name, globals, deps);
        choose({ name: `schedule ${kind}`, dryRun: false, globals, run });
      });
  }
}

const nextExamples = `
Examples:
  bkp schedule next               the next slot of each
  bkp schedule next daily -n 10   ten of one`;

function registerNext(group: Command, choose: Choose): void {
  group
    .command('next')
    .argument('[name]', 'one schedule (default: all that are on)')
    .description('Show when schedules are due.')
    .option('-n, --count <n>', 'so many of each', '1')
    .addHelpText('after', nextExamples)
    .action((name: string | undefined, { count }: { readonly count: string }, command: Command) => {
      const globals = globalOptions(command);
      const run: Parameters<Choose>[0]['run'] = async (deps) =>
        (await import('./schedule-look.js')).nextSlots(name, count, globals, deps);
      choose({ name: 'schedule next', dryRun: false, globals, run });
    });
}

const runExamples = `
Examples:
  bkp schedule run -q         from cron: tells only what is wrong
  bkp schedule run --dry-run  what is due now

A slot that was missed is made up for once, a failed run is tried again after
10, 30 and 120 minutes. Then backups that were verified longest ago are verified
again, for a minute at most at a time.`;

function registerRun(group: Command, choose: Choose): void {
  const command = group
    .command('run')
    .description('Run what is due: backups, their copies and retention; verify old backups again.')
    .option('-n, --dry-run', 'show what is due, run nothing');
  addPassphraseOptions(command)
    .addHelpText('after', runExamples)
    .action((options: ScheduleRunOptions, command: Command) => {
      const globals = globalOptions(command);
      const run: Parameters<Choose>[0]['run'] = async (deps) =>
        (await import('./schedule-run.js')).runSchedules(options, globals, deps);
      choose({ name: 'schedule run', dryRun: options.dryRun === true, globals, run });
    });
}

const installExamples = `
Examples:
  bkp schedule install            schedule run every ten minutes
  bkp schedule install --print    show it, change nothing
  bkp schedule install --direct   a line each: no time zones, no missed slots
  bkp schedule install --systemd  units of your own (--system: the machine's)`;

function registerInstall(group: Command, choose: Choose): void {
  group
    .command('install')
    .description('Make this machine run what is due: a block in your crontab, or a systemd timer.')
    .option('--direct', 'a line for each schedule, at its time')
    .option('--systemd', 'a timer instead of a crontab line')
    .option('--system', 'with --systemd: for the machine, not for you')
    .option('--print', 'show what would be installed')
    .addHelpText('after', installExamples)
    .action((options: InstallOptions, command: Command) => {
      const globals = globalOptions(command);
      const run: Parameters<Choose>[0]['run'] = async (deps) =>
        (await import('./schedule-install.js')).installSchedules(options, globals, deps);
      choose({ name: 'schedule install', dryRun: options.print === true, globals, run });
    });
  group
    .command('uninstall')
    .description('Take that away again; schedules and backups stay.')
    .option('--system', 'the units of the machine')
    .action((options: InstallOptions, command: Command) => {
      const globals = globalOptions(command);
      const run: Parameters<Choose>[0]['run'] = async (deps) =>
        (await import('./schedule-install.js')).uninstallSchedules(options, globals, deps);
      choose({ name: 'schedule uninstall', dryRun: false, globals, run });
    });
}
