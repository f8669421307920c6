import type Database from 'better-sqlite3';
import { isRunning, type ProcessIdentity } from './process-identity.js';

/** Runs that are kept, and runs that are kept with their steps and findings. */
export const maxRuns = 10_000;
export const maxDetailedRuns = 1000;
/** Kept of one run; beyond these they are only counted. */
export const maxSteps = 500;
export const maxFindings = 500;
/** Archives whose verification is remembered. */
export const maxArchives = 10_000;

/** Milliseconds after which a run whose process cannot be looked at (in another container or machine) counts as dead. */
const longestRun = 7 * 24 * 60 * 60 * 1000;

/** A run that has not ended, as its row tells. */
export interface UnfinishedRun extends ProcessIdentity {
  readonly startedAt: number;
}

export function isKilled(run: UnfinishedRun, now: number): boolean {
  return !(isRunning(run) ?? now - run.startedAt < longestRun);
}

/** Gives their result to runs whose process is gone. */
export function markKilled(db: Database.Database, now: number): void {
  const unfinished = db
    .prepare<[], UnfinishedRun & { readonly id: number }>(
      'SELECT id, started_at AS startedAt, host, pid, boot, namespace, began FROM run WHERE result IS NULL',
    )
    .all();
  const mark = db.prepare("UPDATE run SET result = 'killed' WHERE id = ?");
  for (const run of unfinished) if (isKilled(run, now)) mark.run(run.id);
}

/** Lets go of the oldest. */
export function trimRuns(db: Database.Database): void {
  const newest = db.prepare<[], number | null>('SELECT max(id) FROM run').pluck().get() ?? 0;
  db.prepare('DELETE FROM run WHERE id <= ?').run(newest - maxRuns);
  for (const table of ['step', 'finding'])
    db.prepare(`DELETE FROM ${table} WHERE run <= ?`).run(newest - maxDetailedRuns);
}

export function trimArchives(db: Database.Database): void {
  const count = db.prepare<[], number>('SELECT count(*) FROM archive').pluck().get() ?? 0;
  if (count <= maxArchives) return;
  db.prepare(
    'DELETE FROM archive WHERE name IN (SELECT name FROM archive ORDER BY verified_at DESC, name LIMIT -1 OFFSET ?)',
  ).run(maxArchives);
}
