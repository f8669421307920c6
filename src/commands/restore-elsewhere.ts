import { resolve } from 'node:path';
import { withCleanup } from '../base/cleanup.js';
import type { ExitCode } from '../base/exit-codes.js';
import { pathFault } from '../config/path-rules.js';
import { restoreToTarget } from '../operations/execute-restore.js';
import { planRestore, type RestoreRequest } from '../operations/plan-restore.js';
import { restorePlanView, restoreView } from '../ui/restore-view.js';
import type { GlobalOptions } from './global-options.js';
import { findPlace, namedBackup, sameCall, type Place } from './instance.js';
import type { CommandDeps } from './job.js';
import { backupId, operationDeps } from './operation-deps.js';
import { restoreExit } from './restore-exit.js';
import type { ElsewhereTask } from './restore-options.js';
import { elsewhereOwner } from './restore-owner.js';
import { runPassphrase } from './run-passphrase.js';
import { usageError } from './usage.js';

/** Into an empty folder; without one only a look. `place`: where it was looked up already. */
export async function restoreElsewhere(
  task: ElsewhereTask,
  globals: GlobalOptions,
  deps: CommandDeps,
  place?: Place,
): Promise<ExitCode> {
  const known = place ?? (await findPlace(globals, deps, task.passphrase));
  const request = await elsewhereRequest(task, known, deps);
  const { target, file } = request;
  const operation = operationDeps(deps);
  const { view, exitCode } = await withCleanup(async (cleanup) => {
    const passphrase = runPassphrase(known, globals.json, deps, cleanup).ask;
    const plan = await planRestore({ ...request, passphrase }, operation, cleanup);
    const restored = { plan, id: backupId(file, plan.manifest.id), again: sameCall(globals) };
    if (task.dryRun || target === undefined) {
      const exitCode = restoreExit(plan.findings);
      return { exitCode, view: restorePlanView(restored, { exitCode, durationMs: deps.elapsed() }) };
    }
    const result = await restoreToTarget({ ...plan, target }, operation);
    const exitCode = restoreExit(result.findings);
    return { exitCode, view: restoreView(restored, result, { exitCode, durationMs: deps.elapsed() }) };
  });
  deps.output.render(view);
  return exitCode;
}

async function elsewhereRequest(task: ElsewhereTask, place: Place, deps: CommandDeps): Promise<RestoreRequest> {
  const { reference, target, only, allowUnverified, allowRepacked } = task;
  const fault = target === undefined ? undefined : pathFault(target);
  if (fault !== undefined) throw usageError(`--target ${fault}`, 'Pass a folder that is empty or does not exist.');
  const owner = elsewhereOwner(task.owner);
  return {
    file: await namedBackup(reference, place, deps),
    target: target === undefined ? undefined : resolve(deps.cwd, target),
    only,
    allowUnverified,
    allowRepacked,
    owner,
  };
}
