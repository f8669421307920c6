import { systemClock } from '../base/clock.js';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import type { Config } from '../config/config.js';
import { refuseReadOnly } from '../operations/read-only.js';
import type { ScheduleStore } from '../operations/schedule-store.js';
import { parseSchedules, scheduleNotFound, theSchedule } from '../operations/schedules.js';
import { refuseUnfinished } from '../operations/unfinished-restore.js';
import { scheduleChangeView } from '../ui/schedule-view.js';
import type { GlobalOptions } from './global-options.js';
import { openInstance, sameCall } from './instance.js';
import { schedulesOf } from './instance-schedules.js';
import type { CommandDeps } from './job.js';
import { operationDeps } from './operation-deps.js';
import { scheduleValues, type ScheduleSetOptions } from './schedule-arguments.js';
import { knownScopes } from './schedule-scopes.js';

/** Makes a schedule, or changes what the flags give of one. */
export async function setSchedule(
  name: string,
  options: ScheduleSetOptions,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<ExitCode> {
  const { config, store } = await openChangeable(globals, deps);
  const before = parseSchedules(await store.read()).valid.find((schedule) => schedule.name === name);
  const values = scheduleValues(name, options, before, systemClock.now());
  knownScopes(values.scopes, config.sources);
  await store.put(values);
  const now = systemClock.now();
  const schedule = theSchedule(parseSchedules(await store.read()), name, store.location);
  const change = { kind: before === undefined ? 'made' : 'changed', schedule, now, call: sameCall(globals) } as const;
  const exitCode = exitCodes.done;
  deps.output.render(scheduleChangeView(change, store.location, { exitCode, durationMs: deps.elapsed() }));
  return exitCode;
}

/** Turns a schedule on or off, or removes it: one whose row is nonsense too. */
export async function switchSchedule(
  kind: 'enable' | 'disable' | 'remove',
  name: string,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<ExitCode> {
  const { store } = await openChangeable(globals, deps);
  const found = kind === 'remove' ? await store.remove(name) : await store.setEnabled(name, kind === 'enable');
  const { valid } = parseSchedules(await store.look());
  if (!found) throw scheduleNotFound(name, valid, store.location);
  const schedule = valid.find((one) => one.name === name);
  const done = ({ enable: 'enabled', disable: 'disabled', remove: 'removed' } as const)[kind];
  const change = { kind: done, name, schedule, now: systemClock.now(), call: sameCall(globals) };
  const exitCode = exitCodes.done;
  deps.output.render(scheduleChangeView(change, store.location, { exitCode, durationMs: deps.elapsed() }));
  return exitCode;
}

/** The schedules of an instance that may be changed now. */
async function openChangeable(
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<{ readonly config: Config; readonly store: ScheduleStore }> {
  const instance = await openInstance(globals, deps);
  const { config } = instance;
  refuseReadOnly('schedule', config);
  refuseUnfinished(config.root);
  return { config, store: schedulesOf(instance, operationDeps(deps)) };
}
