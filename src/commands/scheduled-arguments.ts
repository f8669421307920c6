import { systemClock } from '../base/clock.js';
import { refuseReadOnly } from '../operations/read-only.js';
import { parseSchedules, retentionsOf, theSchedule, type Schedules } from '../operations/schedules.js';
import { latestSlot } from '../policy/slots.js';
import type { CreateOptions } from './create.js';
import { checkedComment, checkedGlobs, type CreateArguments } from './create-arguments.js';
import { wantedEncryption } from './create-encryption.js';
import type { GlobalOptions } from './global-options.js';
import { loadInstance, tellInstance } from './instance.js';
import type { CommandDeps } from './job.js';
import { schedulesOf } from './instance-schedules.js';
import { prepareScheduled } from './make-backup.js';
import { operationDeps } from './operation-deps.js';
import { passphraseFlags } from './passphrase-options.js';
import { scheduledRequest } from './scheduled-request.js';
import { usageError } from './usage.js';

/** Flags that say what the schedule says. */
const itsOwn = [
  'databases',
  'snapshots',
  'uploads',
  'withConfig',
  'only',
  'format',
  'output',
  'encrypt',
  'level',
  'interactive',
] as const;

/** The backup that `create --schedule` makes: what the schedule says, filling the slot that is now. */
export async function scheduledArguments(
  name: string,
  options: CreateOptions,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<CreateArguments> {
  const contradiction = itsOwn.find((flag) => options[flag] !== undefined);
  if (contradiction !== undefined) {
    const flag = `--${contradiction.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`;
    throw usageError(
      `${flag} and --schedule contradict each other: the schedule says what is backed up, and how`,
      `Change it with \`bkp schedule set ${name}\`, or leave --schedule out.`,
    );
  }
  const comment = options.comment === undefined ? undefined : checkedComment(options.comment);
  const excludes = checkedGlobs(options.exclude ?? []);
  const instance = await loadInstance(globals, deps, passphraseFlags(options));
  const { config, storage } = instance;
  tellInstance(config, deps);
  refuseReadOnly('create --schedule', config);
  const store = schedulesOf(instance, operationDeps(deps));
  const read = async (): Promise<Schedules> => parseSchedules(await store.read());
  const schedules = await (options.dryRun === true ? read() : prepareScheduled(config, operationDeps(deps), read));
  const schedule = theSchedule(schedules, name, store.location);
  const extras = { comment, excludes, quickCheck: options.quickCheck === true, full: options.full === true };
  const request = scheduledRequest(schedule, config, storage, extras);
  const { encrypt, hint } = schedule.options;
  const said = {
    ...options,
    ...(encrypt === undefined ? {} : { encrypt }),
    ...(options.hint !== undefined || hint === undefined ? {} : { hint }),
  };
  const encryption = wantedEncryption(said, config, request.destination.container);
  const retentions = options.prune === false ? undefined : retentionsOf(schedules, config.retention);
  const scheduled = { slot: latestSlot(schedule, systemClock.now()), retentions };
  return { request, encryption, instance, scheduled };
}
