import type { Catalog } from '../catalog/catalog.js';
import type { ScheduleRun } from '../policy/run-history.js';
import type { ListedBackup } from './list-backups.js';

/**
 * What is known of a schedule's runs: by the catalogue and by the archives, so that neither a lost catalogue nor a deleted
 * archive makes it run again.
 */
export function scheduleRuns(
  name: string,
  instance: string,
  { catalog, backups }: { readonly catalog: Catalog | undefined; readonly backups: readonly ListedBackup[] },
): readonly ScheduleRun[] {
  return [...recordedRuns(name, instance, catalog), ...archivedRuns(name, backups)];
}

/** Enough for the attempts of one slot, and for the last complete run in a bad month. */
const attempts = 50;

function recordedRuns(name: string, instance: string, catalog: Catalog | undefined): readonly ScheduleRun[] {
  const of = { instance, schedule: name };
  const recent = catalog?.lastAttempts(of, attempts) ?? [];
  const good = catalog?.lastSuccess(of);
  const runs = [...(recent === 'unknown' ? [] : recent), ...(good === undefined || good === 'unknown' ? [] : [good])];
  return runs.flatMap(({ startedAt: start, state, error }): ScheduleRun[] => {
    switch (state) {
      case 'done':
        return [{ start, outcome: 'complete' }];
      case 'incomplete':
        return [{ start, outcome: 'incomplete' }];
      case 'failed':
        return turnedAway.has(error?.id ?? '') ? [] : [{ start, outcome: 'failed' }];
      case 'killed':
        return [{ start, outcome: 'failed' }];
      case 'running':
        return [];
    }
  });
}

/** It did not begin: that is no attempt. */
export const turnedAway: ReadonlySet<string> = new Set(['lock-held', 'restore-unfinished']);

function archivedRuns(name: string, backups: readonly ListedBackup[]): readonly ScheduleRun[] {
  return backups.flatMap(({ foreign, instance, origin, status, time: start }): ScheduleRun[] => {
    if (foreign || instance === undefined || origin !== name) return [];
    if (status === 'ok') return [{ start, outcome: 'complete' }];
    return status === 'incomplete' ? [{ start, outcome: 'incomplete' }] : [];
  });
}
