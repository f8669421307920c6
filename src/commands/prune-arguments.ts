import { mustBe } from '../base/must-be.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Config } from '../config/config.js';
import type { Deps } from '../operations/deps.js';
import { knownBadArchives } from '../operations/known-damage.js';
import type { PruneRequest } from '../operations/prune-backups.js';
import { parseSchedules, retentionsOf, scheduleNotFound } from '../operations/schedules.js';
import {
  isKeepCount,
  keepCount,
  keepRuleNames,
  type Retention,
  type RetentionPolicy,
} from '../policy/retention-policy.js';
import type { Storage } from '../storage/storage.js';
import { schedulesOf } from './instance-schedules.js';
import type { PruneOptions } from './prune.js';
import { usageError } from './usage.js';

interface Instance {
  readonly config: Config;
  readonly storage: Storage;
  readonly catalog: Catalog | undefined;
}

/** What retention is to be applied to, by flags, or as the schedules say. Opens no live database. */
export async function pruneRequest(
  options: PruneOptions,
  { config, storage, catalog }: Instance,
  deps: Deps,
): Promise<PruneRequest> {
  const { instance, root } = config;
  const policy = policyOf(options);
  const store = schedulesOf({ config, storage }, deps);
  const schedules = parseSchedules(await store.look());
  const retentions = retentionsOf(schedules, config.retention);
  const { schedule } = options;
  if (schedule !== undefined && !retentions.has(schedule)) {
    throw scheduleNotFound(schedule, schedules.valid, store.location);
  }
  return {
    storage,
    instance,
    root,
    retentions: policy === undefined ? retentions : inPlaceOf(retentions, policy),
    schedule,
    automatic: false,
    knownBad: knownBadArchives(catalog),
  };
}

/** Undefined where no flag gives one. */
function policyOf(options: PruneOptions): RetentionPolicy | undefined {
  const given = keepRuleNames.flatMap((rule) => {
    const text = options[rule];
    if (text === undefined) return [];
    const count = /^\d{1,6}$/.test(text) ? Number(text) : undefined;
    const flag = `--${rule.replace(/[A-Z]/, (capital) => `-${capital.toLowerCase()}`)}`;
    if (!isKeepCount(count)) {
      throw usageError(`${flag} ${mustBe(keepCount, text)}`, 'The newest good backup of a schedule always stays.');
    }
    return [[rule, count] as const];
  });
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

/** The same for every schedule, with its own zone; also for one whose row cannot be read: the flags say what counts. */
function inPlaceOf(
  retentions: ReadonlyMap<string, Retention | undefined>,
  policy: RetentionPolicy,
): ReadonlyMap<string, Retention> {
  return new Map([...retentions].map(([name, was]) => [name, { policy, timezone: was?.timezone ?? null }]));
}
