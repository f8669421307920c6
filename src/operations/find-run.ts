import { BkpError } from '../base/errors.js';
import type { Answer, Catalog } from '../catalog/catalog.js';
import type { RecordedRun, RunDetails } from '../catalog/run-record.js';

/** One run with its steps and findings. Throws `run-not-found`, or `io-failed` where the history cannot be read. */
export function findRun(catalog: Catalog | undefined, which: number | 'latest', location: string): RunDetails {
  const found = known(catalog?.run(which), location);
  if (found !== undefined) return found;
  const what = which === 'latest' ? 'no run is remembered' : `run ${which} is not remembered`;
  throw new BkpError('run-not-found', `${what} in ${location}`, {
    path: location,
    hint: '`bkp log --list` shows the runs that are; the oldest are forgotten in time.',
  });
}

export interface RunsWanted {
  readonly instance: string | undefined;
  readonly schedule: string | undefined;
  readonly limit: number;
}

/** The last runs, newest first. */
export function lastRuns(
  catalog: Catalog | undefined,
  { instance, schedule, limit }: RunsWanted,
  location: string,
): readonly RecordedRun[] {
  const filter = {
    ...(instance === undefined ? {} : { instance }),
    ...(schedule === undefined ? {} : { schedule }),
    limit,
  };
  return known(catalog?.runs(filter), location) ?? [];
}

function known<T>(answer: Answer<T> | undefined, location: string): T | undefined {
  if (answer !== 'unknown') return answer;
  throw new BkpError('io-failed', `the history of ${location} cannot be read`, {
    path: location,
    hint: '`bkp list` and `bkp status` work without it; a damaged catalog.db is set aside by the next backup.',
  });
}
