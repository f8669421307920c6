import { fileURLToPath } from 'node:url';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import type { Config } from '../config/config.js';
import { refuseReadOnly } from '../operations/read-only.js';
import { parseSchedules } from '../operations/schedules.js';
import { weekdays, type Schedule } from '../policy/schedule.js';
import { bkpWords, type BkpCall } from '../system/bkp-call.js';
import { cronLine } from '../system/cron-line.js';
import { cronTimes, systemZone, type CronSchedule } from '../system/cron-times.js';
import { changeCrontab } from '../system/crontab.js';
import { withBlock, withoutBlock } from '../system/crontab-block.js';
import { instanceKey } from '../system/instance-key.js';
import { installUnits, removeUnits, unitPlace } from '../system/systemd.js';
import { systemdUnits } from '../system/systemd-units.js';
import { installedView, printedView } from '../ui/install-view.js';
import type { RunEnd } from '../ui/json-lines/run.js';
import type { GlobalOptions } from './global-options.js';
import { openInstance } from './instance.js';
import { schedulesOf } from './instance-schedules.js';
import type { CommandDeps } from './job.js';
import { operationDeps } from './operation-deps.js';
import { usageError } from './usage.js';

export interface InstallOptions {
  readonly direct?: boolean;
  readonly systemd?: boolean;
  readonly system?: boolean;
  readonly print?: boolean;
}

/** Makes the machine run what is due: a block in the user's crontab, or a systemd timer. */
export async function installSchedules(
  options: InstallOptions,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<ExitCode> {
  refuseContradictions(options);
  const { config, storage } = await openInstance(globals, deps);
  refuseReadOnly('schedule install', config);
  const key = instanceKey(config.instance, config.root);
  const call = callOf(config);
  const end = (): RunEnd => ({ exitCode: exitCodes.done, durationMs: deps.elapsed() });
  if (options.systemd === true) {
    const units = systemdUnits(key, bkpWords(call, 'schedule', 'run', '-q'));
    const texts = [units.service, units.timer];
    if (options.print === true)
      deps.output.render(
        printedView(
          texts.map(({ name, text }) => `# ${name}\n${text}`),
          end(),
        ),
      );
    else {
      const outcome = await installUnits(units, unitPlace(options.system === true ? 'system' : 'user', deps.env));
      deps.output.render(installedView({ kind: 'installed', where: 'systemd', key, ...outcome, notes: [] }, end()));
    }
    return exitCodes.done;
  }
  const operation = operationDeps(deps);
  const store = schedulesOf({ config, storage }, operation);
  const { lines, notes } =
    options.direct === true
      ? directLines(parseSchedules(await store.look()).valid, call)
      : { lines: [cronLine('*/10 * * * *', bkpWords(call, 'schedule', 'run', '-q'))], notes: [] };
  if (options.print === true) {
    deps.output.render(printedView(lines, end()));
    return exitCodes.done;
  }
  await changeCrontab((crontab) => withBlock(crontab, key, lines));
  const outcome = { files: [], toRun: [], reason: undefined };
  deps.output.render(installedView({ kind: 'installed', where: 'crontab', key, lines, notes, ...outcome }, end()));
  return exitCodes.done;
}

/** Takes away what `installSchedules` made: from the crontab and from systemd. */
export async function uninstallSchedules(
  options: Pick<InstallOptions, 'system'>,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<ExitCode> {
  const { config } = await openInstance(globals, deps);
  const key = instanceKey(config.instance, config.root);
  const units = systemdUnits(key, bkpWords(callOf(config), 'schedule', 'run', '-q'));
  const outcome = await removeUnits(units, unitPlace(options.system === true ? 'system' : 'user', deps.env));
  const changed = await changeCrontab((crontab) => withoutBlock(crontab, key));
  const where = outcome.files.length > 0 ? 'systemd' : changed ? 'crontab' : 'nowhere';
  const end = { exitCode: exitCodes.done, durationMs: deps.elapsed() };
  deps.output.render(installedView({ kind: 'removed', where, key, ...outcome, notes: [] }, end));
  return exitCodes.done;
}

function refuseContradictions({ direct, systemd, system }: InstallOptions): void {
  if (direct === true && systemd === true) {
    throw usageError('--direct and --systemd contradict each other', '--direct writes lines of a crontab.');
  }
  if (system === true && systemd !== true) {
    throw usageError('--system is for --systemd', 'Pass both for units of the machine, --systemd alone for your own.');
  }
}

/** Everything is said: cron knows neither the folder nor the variables in which this was typed. */
function callOf({ root, configFile, storage, origins }: Config): BkpCall {
  const script = fileURLToPath(new URL('../../bin/bkp.js', import.meta.url));
  const named = origins.storage === 'flag' || origins.storage === 'env' ? storage : undefined;
  return { node: process.execPath, script, root, configFile, storage: named };
}

function directLines(
  schedules: readonly Schedule[],
  call: BkpCall,
): { readonly lines: readonly string[]; readonly notes: readonly string[] } {
  const enabled = schedules.filter((schedule) => schedule.enabled);
  if (enabled.length === 0) {
    throw usageError('there is no schedule that is enabled', '`bkp schedule set daily --every daily` makes one.');
  }
  const all = enabled.map((schedule) => {
    const { times, note } = cronTimes(cronSchedule(schedule), systemZone());
    const words = bkpWords(call, 'create', '--schedule', schedule.name, '-q');
    return { lines: times.map((when) => cronLine(when, words)), notes: note === undefined ? [] : [note] };
  });
  return { lines: all.flatMap(({ lines }) => lines), notes: all.flatMap(({ notes }) => notes) };
}

function cronSchedule({ name, frequency, timeOfDay, dayOfWeek, dayOfMonth, timezone }: Schedule): CronSchedule {
  const [hour, minute] = timeOfDay.split(':').map(Number);
  return {
    name,
    every: frequency,
    minute: minute ?? 0,
    hour: hour ?? 0,
    // Cron's week begins on Sunday, ours on Monday.
    weekday: (weekdays.indexOf(dayOfWeek ?? 'mon') + 1) % 7,
    day: dayOfMonth ?? 1,
    timezone: timezone ?? undefined,
  };
}
