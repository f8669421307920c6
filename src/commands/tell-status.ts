import { systemClock } from '../base/clock.js';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import { checkStatus } from '../operations/check-status.js';
import { withCatalog } from '../operations/recorded-run.js';
import type { RunEnd } from '../ui/json-lines/run.js';
import type { View } from '../ui/output.js';
import type { Status } from '../ui/status-view.js';
import type { GlobalOptions } from './global-options.js';
import { openInstance, refuseNothing, sameCall } from './instance.js';
import { schedulesOf } from './instance-schedules.js';
import type { CommandDeps } from './job.js';
import { operationDeps } from './operation-deps.js';

/** Looks how the backups of the instance are, and tells it as `viewOf` does. `maxAge` in milliseconds. */
export async function tellStatus(
  maxAge: number | undefined,
  viewOf: (status: Status, end: RunEnd) => View,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<ExitCode> {
  const { config, storage } = await openInstance(globals, deps);
  await refuseNothing(config);
  const { instance, root, sources } = config;
  const operation = operationDeps(deps);
  return withCatalog(storage, operation, async (catalog) => {
    const schedules = schedulesOf({ config, storage }, operation);
    const result = await checkStatus({ instance, root, sources, storage, schedules, catalog, maxAge }, operation);
    const exitCode = result.health.healthy ? exitCodes.done : exitCodes.unhealthy;
    const shown = { result, instance, storage: storage.location, now: systemClock.now(), call: sameCall(globals) };
    deps.output.render(viewOf(shown, { exitCode, durationMs: deps.elapsed() }));
    return exitCode;
  });
}
