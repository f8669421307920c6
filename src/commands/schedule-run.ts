import { systemClock } from '../base/clock.js';
import { withCleanup } from '../base/cleanup.js';
import { BkpError } from '../base/errors.js';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import type { Catalog } from '../catalog/catalog.js';
import type { CreateRequest } from '../operations/create-request.js';
import type { Deps } from '../operations/deps.js';
import { dueSchedules, type DueSchedule } from '../operations/due-schedules.js';
import { listBackupsSoFar, type ListedBackup } from '../operations/list-backups.js';
import { refuseReadOnly } from '../operations/read-only.js';
import { withCatalog } from '../operations/recorded-run.js';
import { reverify } from '../operations/reverify.js';
import { parseSchedules, retentionsOf, type Schedules } from '../operations/schedules.js';
import { refuseUnfinished } from '../operations/unfinished-restore.js';
import type { Schedule } from '../policy/schedule.js';
import { scheduleRunView, type ScheduledRun } from '../ui/schedule-run-view.js';
import { wantedEncryption } from './create-encryption.js';
import type { GlobalOptions } from './global-options.js';
import { loadInstance, tellInstance, type Instance } from './instance.js';
import { schedulesOf } from './instance-schedules.js';
import type { CommandDeps } from './job.js';
import { makeBackup, prepareScheduled } from './make-backup.js';
import { operationDeps } from './operation-deps.js';
import { passphraseFlags, type PassphraseOptions } from './passphrase-options.js';
import { runPassphrase, type RunPassphrase } from './run-passphrase.js';
import { scheduledRequest } from './scheduled-request.js';

export interface ScheduleRunOptions extends PassphraseOptions {
  readonly dryRun?: boolean;
}

/** Milliseconds after which no further old archive is verified. */
const verifyBudget = 60_000;

/** Runs every schedule that is due, one after the other: one that fails keeps none of the others from running. */
export async function runSchedules(
  options: ScheduleRunOptions,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<ExitCode> {
  const instance = await loadInstance(globals, deps, passphraseFlags(options));
  const { config, storage } = instance;
  tellInstance(config, deps);
  refuseReadOnly('schedule run', config);
  refuseUnfinished(config.root);
  const operation = operationDeps(deps);
  const dryRun = options.dryRun === true;
  const look = (): Promise<Found> => lookAround(instance, operation);
  const { schedules, backups } = await (dryRun ? look() : prepareScheduled(config, operation, look));
  return withCleanup((cleanup) =>
    withCatalog(storage, operation, async (catalog) => {
      const passphrase = runPassphrase(instance, globals.json, deps, cleanup);
      const work = new Scheduled({ instance, schedules, catalog, passphrase }, operation);
      const due = dueSchedules({
        instance: config.instance,
        schedules: schedules.valid,
        backups,
        catalog,
        now: systemClock.now(),
      });
      const runs: ScheduledRun[] = [];
      for (const each of due) {
        if (dryRun) runs.push({ ...each, outcome: 'planned' });
        else runs.push(await work.run(each));
      }
      const reverified = dryRun ? [] : await work.reverify();
      const result = { runs, reverified, invalid: schedules.invalid, dryRun };
      const exitCode = worst(result);
      deps.output.render(scheduleRunView(result, { exitCode, durationMs: deps.elapsed() }));
      return exitCode;
    }),
  );
}

interface Found {
  readonly schedules: Schedules;
  readonly backups: readonly ListedBackup[];
}

async function lookAround(instance: Instance, deps: Deps): Promise<Found> {
  const store = schedulesOf(instance, deps);
  return {
    schedules: parseSchedules(await store.read()),
    backups: await listBackupsSoFar(instance.storage, instance.config.instance, deps.signal),
  };
}

interface Scheduling {
  readonly instance: Instance;
  readonly schedules: Schedules;
  readonly catalog: Catalog | undefined;
  readonly passphrase: RunPassphrase;
}

class Scheduled {
  readonly #with: Scheduling;
  readonly #deps: Deps;

  constructor(scheduling: Scheduling, deps: Deps) {
    this.#with = scheduling;
    this.#deps = deps;
  }

  async run(due: DueSchedule): Promise<ScheduledRun> {
    try {
      const made = await this.#make(due);
      return { ...due, outcome: made.complete && made.exitCode === exitCodes.done ? 'done' : 'incomplete', made };
    } catch (error) {
      this.#deps.signal.throwIfAborted();
      if (!(error instanceof BkpError)) throw error;
      // Whoever holds the lock is at work: the slot is tried again in ten minutes.
      return { ...due, outcome: error.id === 'lock-held' ? 'skipped' : 'failed', error };
    }
  }

  async #make({ schedule, slot }: DueSchedule) {
    const { instance, schedules, catalog } = this.#with;
    const { config, storage } = instance;
    const request = await prepareScheduled(config, this.#deps, () => this.#request(schedule));
    const scheduled = { slot, retentions: retentionsOf(schedules, config.retention) };
    return makeBackup(request, { config, storage, catalog, locked: false, scheduled }, this.#deps);
  }

  async #request(schedule: Schedule): Promise<CreateRequest> {
    const { instance, passphrase } = this.#with;
    const { config, storage } = instance;
    const extras = { comment: undefined, excludes: [], quickCheck: false, full: false };
    const request = scheduledRequest(schedule, config, storage, extras);
    const { encrypt, hint } = schedule.options;
    const said = { ...(encrypt === undefined ? {} : { encrypt }), ...(hint === undefined ? {} : { hint }) };
    const encryption = wantedEncryption(said, config, request.destination.container);
    return encryption === undefined ? request : { ...request, encryption: await passphrase.forNew(encryption.hint) };
  }

  async reverify() {
    const { instance, catalog, passphrase } = this.#with;
    const { config, storage } = instance;
    const backups = await listBackupsSoFar(storage, config.instance, this.#deps.signal);
    const ask = instance.passphrase === undefined ? undefined : passphrase.ask;
    const request = { storage, backups, catalog, instance: config.instance, budget: verifyBudget, passphrase: ask };
    return reverify(request, this.#deps);
  }
}

/** Damage before what failed, that before what is incomplete. */
function worst({ runs, reverified, invalid }: Parameters<typeof scheduleRunView>[0]): ExitCode {
  if (reverified.some(({ verdict }) => verdict === 'damaged')) return exitCodes.damaged;
  const failed = runs.find(({ outcome }) => outcome === 'failed');
  if (failed?.error !== undefined) return failed.error.exitCode;
  if (invalid.length > 0) return exitCodes.failed;
  return runs.some(({ outcome }) => outcome === 'incomplete') ? exitCodes.incomplete : exitCodes.done;
}
