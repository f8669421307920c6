import { withCleanup } from '../base/cleanup.js';
import { BkpError } from '../base/errors.js';
import type { ExitCode } from '../base/exit-codes.js';
import type { Config } from '../config/config.js';
import { storedBackup, type BackupFile } from '../operations/backup-file.js';
import { configuredHooks } from '../operations/configured-hooks.js';
import { listBackups } from '../operations/list-backups.js';
import { planInPlace, type InPlacePlan, type InPlaceRequest } from '../operations/plan-in-place.js';
import { restoreInPlace } from '../operations/restore-in-place.js';
import type { Storage } from '../storage/storage.js';
import { inPlacePlanView, inPlaceView } from '../ui/restore-in-place-view.js';
import type { GlobalOptions } from './global-options.js';
import { findPlace, namedBackup, openInstance, sameCall } from './instance.js';
import type { CommandDeps } from './job.js';
import { operationDeps } from './operation-deps.js';
import { mayAsk, requireConfirmation } from './restore-confirmation.js';
import { restoreElsewhere } from './restore-elsewhere.js';
import { restoreExit } from './restore-exit.js';
import type { InPlaceTask } from './restore-options.js';
import { inPlaceOwner } from './restore-owner.js';

interface Instance {
  readonly config: Config;
  readonly storage: Storage;
}

/** Plan, show, ask, do: in the place of what the instance holds now. */
export async function restoreHere(task: InPlaceTask, globals: GlobalOptions, deps: CommandDeps): Promise<ExitCode> {
  const { wanted, dryRun } = task;
  // A look at an archive needs no instance.
  const isLook = dryRun && wanted.kind === 'named';
  const place = isLook ? await findPlace(globals, deps) : await openInstance(globals, deps);
  const { config, storage } = place;
  if (isLook && config === undefined) {
    const look = { ...task, kind: 'elsewhere', reference: wanted.reference, target: undefined } as const;
    return restoreElsewhere(look, globals, deps, place);
  }
  if (config === undefined || storage === undefined) throw new TypeError('an instance without a storage');
  const instance = { config, storage };
  const owner = inPlaceOwner(task.owner);
  const file = await wantedBackup(task, instance, deps);
  return withCleanup(async (cleanup) => {
    const request = { ...requestOf(task, instance, globals), file, owner };
    const plan = await planInPlace(request, operationDeps(deps), cleanup);
    return dryRun ? tellPlan(plan, globals, deps) : confirmAndDo(plan, task, instance.config, globals, deps);
  });
}

function requestOf(
  task: InPlaceTask,
  { config, storage }: Instance,
  { quiet }: GlobalOptions,
): Omit<InPlaceRequest, 'file' | 'owner'> {
  const { only, paths, allowUnverified, allowRepacked } = task;
  const { instance, root, sources, exclude } = config;
  // Nobody looks at a comparison that -q silences and --confirm does without: it reads all that is there.
  const compare = task.dryRun || task.confirm === undefined || !quiet;
  return {
    instance,
    root,
    configured: sources,
    excludes: exclude,
    storage,
    only,
    paths,
    allowUnverified,
    allowRepacked,
    compare,
  };
}

async function wantedBackup(
  { wanted }: InPlaceTask,
  { config, storage }: Instance,
  deps: CommandDeps,
): Promise<BackupFile> {
  if (wanted.kind === 'named') return namedBackup(wanted.reference, { config, storage }, deps);
  const all = await listBackups(storage, config.instance, deps.signal);
  // The newest, whatever its state: an older one would bring back something else than what the last restore replaced.
  const newest = all.find(({ foreign, origin }) => !foreign && origin === 'safety');
  if (newest !== undefined) return storedBackup(storage, newest.name);
  throw new BkpError('backup-not-found', `there is no safety backup of ${config.instance} in ${storage.location}`, {
    hint: 'Only a restore in place makes one. `bkp list` shows the other backups.',
  });
}

function tellPlan(plan: InPlacePlan, globals: GlobalOptions, deps: CommandDeps): ExitCode {
  const exitCode = restoreExit(plan.findings);
  deps.output.render(inPlacePlanView(plan, sameCall(globals), 'dry-run', { exitCode, durationMs: deps.elapsed() }));
  return exitCode;
}

async function confirmAndDo(
  plan: InPlacePlan,
  task: InPlaceTask,
  config: Config,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<ExitCode> {
  const { json, quiet } = globals;
  const asks = task.confirm === undefined && mayAsk(json, config.noInput);
  const again = sameCall(globals);
  // Who is asked must have seen what for, -q or not.
  const shown = !json && (asks || !quiet);
  const end = { exitCode: restoreExit(plan.findings), durationMs: deps.elapsed() };
  if (shown) deps.output.render(inPlacePlanView(plan, again, asks ? 'question' : 'announcement', end));
  await requireConfirmation({ plan, given: task.confirm, asks }, deps.signal);
  const { level, lockWait } = config;
  const operation = operationDeps(deps);
  const hooks = configuredHooks(config.hooks, operation);
  const result = await restoreInPlace(plan, { safetyBackup: task.safetyBackup, level, lockWait, hooks }, operation);
  const exitCode = restoreExit(result.findings);
  deps.output.render(inPlaceView({ plan, result, again, shown }, { exitCode, durationMs: deps.elapsed() }));
  return exitCode;
}
