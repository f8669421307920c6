import type { Catalog } from '../catalog/catalog.js';
import { BkpError } from '../base/errors.js';
import { freeSpace } from '../base/free-space.js';
import { decideHealth, type Health, type HealthBackup } from '../policy/health.js';
import { scheduleHealth, type ScheduleHealth } from '../policy/schedule-health.js';
import { sharingDevice } from '../system/free-space.js';
import type { Storage } from '../storage/storage.js';
import type { Deps } from './deps.js';
import { listBackupsSoFar, type ListedBackup } from './list-backups.js';
import { knownBadArchives } from './known-damage.js';
import { missingBackups } from './remembered-backups.js';
import { scheduleRuns } from './schedule-runs.js';
import type { ScheduleStore } from './schedule-store.js';
import { parseSchedules, type Schedules } from './schedules.js';
import type { Source } from './source.js';
import { isUnfinished } from './unfinished-restore.js';

export interface StatusRequest {
  readonly instance: string;
  readonly root: string;
  /** All that are configured. */
  readonly sources: readonly Source[];
  readonly storage: Storage;
  readonly schedules: ScheduleStore;
  readonly catalog: Catalog | undefined;
  /** Milliseconds. */
  readonly maxAge: number | undefined;
}

export interface StatusResult {
  readonly health: Health;
  readonly schedules: readonly ScheduleHealth[];
  /** The newest complete backup that is no safety backup; undefined where there is none. */
  readonly lastGood: ListedBackup | undefined;
  /** This instance's own. */
  readonly backups: number;
  readonly bytes: number;
  readonly freeBytes: number | undefined;
  /** Data on the same device as the storage. */
  readonly sameDevice: readonly string[];
}

/** Looks how the backups of an instance are. Opens no live database, and writes nothing. */
export async function checkStatus(request: StatusRequest, deps: Deps): Promise<StatusResult> {
  const { instance, root, sources, storage, catalog, maxAge } = request;
  const now = deps.clock.now();
  const listed = await listBackupsSoFar(storage, instance, deps.signal);
  const { valid, invalid } = await readSchedules(request.schedules);
  const known = { catalog, backups: listed };
  const schedules = valid.map((each) => scheduleHealth(each, scheduleRuns(each.name, instance, known), now));
  const knownBad = knownBadArchives(catalog);
  const freeBytes = storage.folder === undefined ? undefined : freeSpace(storage.folder);
  const enabled = sources.filter((source) => source.enabled);
  const paths = enabled.map(({ path }) => path);
  const sameDevice = storage.folder === undefined ? [] : sharingDevice(storage.folder, paths);
  const health = decideHealth(
    {
      schedules,
      invalidSchedules: invalid,
      backups: listed.map((backup) => healthBackup(backup, sources, knownBad)),
      missing: missingBackups(catalog, instance, listed),
      sources: enabled.map(({ name }) => name),
      maxAge,
      freeBytes,
      sameDevice: sameDevice.length > 0,
      unfinishedRestore: unfinished(root),
    },
    now,
  );
  const own = listed.filter(({ foreign }) => !foreign);
  const lastGood = own.find(
    ({ status, origin, name, instance: maker }) =>
      status === 'ok' && origin !== 'safety' && maker !== undefined && !knownBad.has(name),
  );
  const bytes = own.reduce((sum, backup) => sum + backup.bytes, 0);
  return { health, schedules, lastGood, backups: own.length, bytes, freeBytes, sameDevice };
}

/** Of a backup that is limited to one project the snapshots are not whole. */
function healthBackup(backup: ListedBackup, sources: readonly Source[], knownBad: ReadonlySet<string>): HealthBackup {
  const partly = new Set(sources.filter(({ scope }) => scope === 'snapshots').map(({ name }) => name));
  const whole = backup.includes.filter((name) => backup.project === undefined || !partly.has(name));
  return { ...backup, includes: whole, knownBad: knownBad.has(backup.name) };
}

/** Schedules that cannot be read at all do not run either: that is told as one that cannot be used. */
async function readSchedules(store: ScheduleStore): Promise<Schedules> {
  try {
    return parseSchedules(await store.look());
  } catch (error) {
    if (!(error instanceof BkpError)) throw error;
    return { valid: [], invalid: [{ name: undefined, faults: [{ at: store.location, says: error.message }] }] };
  }
}

/** A journal that cannot be looked at is no finished restore. */
function unfinished(root: string): boolean {
  try {
    return isUnfinished(root);
  } catch (error) {
    if (error instanceof BkpError) return true;
    throw error;
  }
}
