import { withCleanup } from '../base/cleanup.js';
import { BkpError, never } from '../base/errors.js';
import type { ExitCode } from '../base/exit-codes.js';
import type { Config } from '../config/config.js';
import { storedBackup, type BackupFile } from '../operations/backup-file.js';
import { configuredHooks } from '../operations/configured-hooks.js';
import { listBackups } from '../operations/list-backups.js';
import { planInPlace, type InPlacePlan, type InPlaceRequest } from '../operations/plan-in-place.js';
import { recordedRestore } from '../operations/recorded-restore.js';
import { inPlacePlanView, inPlaceView } from '../ui/restore-in-place-view.js';
import type { GlobalOptions } from './global-options.js';
import { withHistory } from './history.js';
import { findPlace, namedBackup, openInstance, sameCall, type Instance } from './instance.js';
import type { CommandDeps } from './job.js';
import { operationDeps } from './operation-deps.js';
import { mayAsk } from './may-ask.js';
import { passphraseWords } from './passphrase-options.js';
import { requireConfirmation } from './restore-confirmation.js';
import { restoreElsewhere } from './restore-elsewhere.js';
import { restoreExit } from './restore-exit.js';
import type { InPlaceTask } from './restore-options.js';
import { inPlaceOwner } from './restore-owner.js';
import { chooseBackup, planWithPerson, requirePerson } from './restore-wizard.js';
import { runPassphrase, type RunPassphrase } from './run-passphrase.js';

/** Plan, show, ask, do: in the place of what the instance holds now. */
export async function restoreHere(task: InPlaceTask, globals: GlobalOptions, deps: CommandDeps): Promise<ExitCode> {
  const { wanted, dryRun, passphrase: flags } = task;
  if (wanted.kind === 'asked') requirePerson(globals.json, !globals.input, deps);
  // A look at an archive needs no instance.
  const isLook = dryRun && wanted.kind === 'named';
  const place = isLook ? await findPlace(globals, deps, flags) : await openInstance(globals, deps, flags);
  const { config, storage } = place;
  if (isLook && config === undefined) {
    const look = { ...task, kind: 'elsewhere', reference: wanted.reference, target: undefined } as const;
    return restoreElsewhere(look, globals, deps, place);
  }
  if (config === undefined || storage === undefined) throw new TypeError('an instance without a storage');
  const instance = { ...place, config, storage };
  const owner = inPlaceOwner(task.owner);
  const file = await wantedBackup(task, instance, globals, deps);
  return withCleanup(async (cleanup) => {
    const passphrase = runPassphrase(instance, globals.json, deps, cleanup);
    const request = { ...requestOf(task, instance, globals), file, owner, passphrase: passphrase.ask };
    const plan =
      wanted.kind === 'asked'
        ? await planWithPerson(request, deps, cleanup)
        : await planInPlace(request, operationDeps(deps), cleanup);
    if (dryRun) return tellPlan(plan, globals, deps);
    return confirmAndDo({ plan, task, config: instance.config, passphrase }, globals, deps);
  });
}

function requestOf(
  task: InPlaceTask,
  { config, storage }: Instance,
  { quiet }: GlobalOptions,
): Omit<InPlaceRequest, 'file' | 'owner' | 'passphrase'> {
  const { only, paths, allowUnverified, allowRepacked, safetyBackup } = task;
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
    safetyBackup,
    compare,
  };
}

async function wantedBackup(
  { wanted }: InPlaceTask,
  instance: Instance,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<BackupFile> {
  switch (wanted.kind) {
    case 'named':
      return namedBackup(wanted.reference, instance, deps);
    case 'asked':
      requirePerson(globals.json, instance.noInput, deps);
      return chooseBackup(instance, sameCall(globals), deps);
    case 'undo':
      return newestSafetyBackup(instance, deps);
    default:
      return never(wanted);
  }
}

async function newestSafetyBackup({ config, storage }: Instance, deps: CommandDeps): Promise<BackupFile> {
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

interface Wish {
  readonly plan: InPlacePlan;
  readonly task: InPlaceTask;
  readonly config: Config;
  readonly passphrase: RunPassphrase;
}

async function confirmAndDo(
  { plan, task, config, passphrase }: Wish,
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
  const { safetyBackup } = task;
  // Before the application is stopped: a person takes time, and a passphrase that is missing ends it here.
  const isEncrypted = safetyBackup && config.encryption.enabled;
  const encryption = isEncrypted ? { encryption: await passphrase.forNew(config.encryption.hint) } : {};
  const operation = operationDeps(deps);
  const hooks = configuredHooks(config.hooks, operation);
  const restored = { level, lockWait, hooks, ...encryption };
  const result = await withHistory({ config, storage: plan.storage }, deps, (catalog) =>
    recordedRestore(plan, restored, catalog, operation),
  );
  const exitCode = restoreExit(result.findings);
  deps.output.render(
    inPlaceView(
      { plan, result, again, unlocking: passphraseWords(task.passphrase), shown },
      { exitCode, durationMs: deps.elapsed() },
    ),
  );
  return exitCode;
}
