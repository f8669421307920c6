import { systemClock } from '../base/clock.js';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import { listBackupsSoFar } from '../operations/list-backups.js';
import { withCatalog } from '../operations/recorded-run.js';
import { scheduleRuns } from '../operations/schedule-runs.js';
import { parseSchedules, theSchedule } from '../operations/schedules.js';
import { scheduleHealth } from '../policy/schedule-health.js';
import { nextSlot } from '../policy/slots.js';
import { scheduleListView } from '../ui/schedule-list-view.js';
import { scheduleNextView } from '../ui/schedule-next-view.js';
import type { GlobalOptions } from './global-options.js';
import { openInstance, sameCall } from './instance.js';
import { schedulesOf } from './instance-schedules.js';
import type { CommandDeps } from './job.js';
import { operationDeps } from './operation-deps.js';
import { usageError } from './usage.js';

/** Shows all schedules with how they fare. Opens no live database. */
export async function listSchedules(globals: GlobalOptions, deps: CommandDeps): Promise<ExitCode> {
  const { config, storage } = await openInstance(globals, deps);
  const operation = operationDeps(deps);
  const store = schedulesOf({ config, storage }, operation);
  const { valid, invalid } = parseSchedules(await store.look());
  const backups = await listBackupsSoFar(storage, config.instance, deps.signal);
  return withCatalog(storage, operation, (catalog) => {
    const now = systemClock.now();
    const known = { catalog, backups };
    const schedules = valid.map((schedule) => {
      const health = scheduleHealth(schedule, scheduleRuns(schedule.name, config.instance, known), now);
      return { schedule, health };
    });
    const exitCode = exitCodes.done;
    const list = { schedules, invalid, location: store.location, now, call: sameCall(globals) };
    deps.output.render(scheduleListView(list, { exitCode, durationMs: deps.elapsed() }));
    return Promise.resolve(exitCode);
  });
}

const mostSlots = 1000;

/** Shows when schedules are due next. */
export async function nextSlots(
  name: string | undefined,
  count: string,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<ExitCode> {
  const times = /^\d{1,4}$/.test(count) ? Number(count) : 0;
  if (times < 1 || times > mostSlots) {
    throw usageError(`--count ${count} is not a whole number from 1 to ${mostSlots}`, 'As in: bkp schedule next -n 10');
  }
  const { config, storage } = await openInstance(globals, deps);
  const store = schedulesOf({ config, storage }, operationDeps(deps));
  const schedules = parseSchedules(await store.look());
  const wanted =
    name === undefined
      ? schedules.valid.filter(({ enabled }) => enabled)
      : [theSchedule(schedules, name, store.location)];
  const now = systemClock.now();
  const slots = wanted.flatMap((schedule) => {
    const found: number[] = [];
    for (let at = now; found.length < times;) found.push((at = nextSlot(schedule, at)));
    return found.map((time) => ({ schedule, time }));
  });
  const exitCode = exitCodes.done;
  const sorted = slots.toSorted((a, b) => a.time - b.time);
  deps.output.render(scheduleNextView(sorted, { exitCode, durationMs: deps.elapsed() }));
  return exitCode;
}
