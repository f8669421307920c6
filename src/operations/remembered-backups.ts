import type { Catalog } from '../catalog/catalog.js';
import { parseBackupId } from '../policy/backup-name.js';
import type { ListedBackup } from './list-backups.js';
import { turnedAway } from './schedule-runs.js';

/** A row of a list that no archive stands for: the catalogue alone knows of it. */
export interface RememberedBackup extends Omit<ListedBackup, 'id' | 'name' | 'file' | 'container' | 'status'> {
  /** Undefined of a run that failed: it has made nothing. */
  readonly id: string | undefined;
  readonly file: undefined;
  readonly container: undefined;
  /** `missing`: it was made, nobody deleted it, and it is not there. `failed`: the last attempt of its origin. */
  readonly status: 'missing' | 'failed';
  /** Of one that failed: what `bkp log` takes. */
  readonly run: number | undefined;
}

/** What the catalogue knows of an instance beside the archives that are `listed`; nothing where it cannot tell. */
export function rememberedBackups(
  catalog: Catalog | undefined,
  instance: string,
  listed: readonly ListedBackup[],
): readonly RememberedBackup[] {
  const missing = missingBackups(catalog, instance, listed).map((id): RememberedBackup => {
    const { time = 0, origin } = parseBackupId(id) ?? {};
    const reason = `it was made, and nobody deleted it: put it back from a copy, or let \`bkp delete ${id}\` forget it`;
    return { ...blank, id, instance, time, origin, status: 'missing', run: undefined, reason };
  });
  return [...missing, ...failedBackups(catalog, instance, listed)];
}

/** Ids of backups that runs made and nobody was told to delete, and that are not in the storage. */
export function missingBackups(
  catalog: Catalog | undefined,
  instance: string,
  listed: readonly ListedBackup[],
): readonly string[] {
  const made = catalog?.made(instance) ?? [];
  if (made === 'unknown') return [];
  const there = new Set(listed.map(({ id }) => id));
  return made.filter((id) => !there.has(id));
}

const blank = {
  ...{ file: undefined, container: undefined, foreign: false, bytes: 0, includes: [], project: undefined, scopes: [] },
  ...{ locked: false, encrypted: false, losses: 0, comment: undefined },
} as const;

/** Runs among which the last attempts are looked for: those of a rare schedule may lie behind many of a frequent one. */
const attemptsLookedAt = 500;

/** The last attempt of each schedule, and of those made by hand, where it failed. */
function failedBackups(
  catalog: Catalog | undefined,
  instance: string,
  listed: readonly ListedBackup[],
): readonly RememberedBackup[] {
  const runs = catalog?.runs({ instance, kind: 'create', limit: attemptsLookedAt }) ?? [];
  if (runs === 'unknown') return [];
  const seen = new Set<string>();
  return runs.flatMap(({ id: run, schedule, state, startedAt: time, error }): RememberedBackup[] => {
    const origin = schedule ?? 'manual';
    if (state === 'running' || turnedAway.has(error?.id ?? '') || seen.has(origin)) return [];
    seen.add(origin);
    if (state !== 'failed' && state !== 'killed') return [];
    // One that was killed may have made its archive before that, and ids count whole seconds.
    const since = state === 'killed' ? Math.floor(time / 1000) * 1000 : time;
    // An id may tell of a second that is still to come: the one before it was taken by the backup before.
    const before = new Set(runs.flatMap((other) => (other.id < run ? [other.backup] : [])));
    const isLater = (backup: ListedBackup): boolean => backup.time >= since && !before.has(backup.id);
    if (listed.some((backup) => !backup.foreign && backup.origin === origin && isLater(backup))) return [];
    const reason = `${error?.message ?? 'it was killed'} (\`bkp log ${run}\` tells more)`;
    return [{ ...blank, id: undefined, instance, time, origin, status: 'failed', run, reason }];
  });
}
