import type Database from 'better-sqlite3';
import type { RecordedFinding, RecordedRun, RecordedStep, RunState } from './run-record.js';
import { isKilled, maxFindings, maxSteps } from './run-upkeep.js';

/** Which runs; all that is given has to fit. */
export interface RunFilter {
  readonly kind?: string;
  readonly instance?: string;
  readonly schedule?: string;
  /** Only of this result. */
  readonly result?: 'done' | 'incomplete' | 'failed' | 'killed';
  /** How many at most, the newest first. Default 50. */
  readonly limit?: number;
}

const defaultLimit = 50;

/** Every value of STRICT tables has its column's type; text in a damaged one may still hold anything. */
interface RunRow {
  readonly id: number;
  readonly kind: string;
  readonly instance: string | null;
  readonly schedule: string | null;
  readonly slot: number | null;
  readonly backup: string | null;
  readonly started_at: number;
  readonly ended_at: number | null;
  readonly result: string | null;
  readonly exit_code: number | null;
  readonly bytes: number | null;
  readonly files: number | null;
  readonly error_id: string | null;
  readonly error_message: string | null;
  readonly steps: number;
  readonly findings: number;
  readonly host: string;
  readonly pid: number;
  readonly boot: string;
  readonly namespace: string;
  readonly began: string;
}

/** Newest first. `now`: milliseconds since 1970. */
export function selectRuns(db: Database.Database, filter: RunFilter, now: number): readonly RecordedRun[] {
  const { limit = defaultLimit, ...wanted } = filter;
  const columns = (['kind', 'instance', 'schedule', 'result'] as const).filter((name) => wanted[name] !== undefined);
  const where = columns.length === 0 ? '' : `WHERE ${columns.map((name) => `${name} = ?`).join(' AND ')}`;
  return db
    .prepare<unknown[], RunRow>(`SELECT * FROM run ${where} ORDER BY id DESC LIMIT ?`)
    .all(...columns.map((name) => wanted[name]), limit)
    .map((row) => runOf(row, now));
}

export function selectRun(db: Database.Database, id: number, now: number): RecordedRun | undefined {
  const row = db.prepare<[number], RunRow>('SELECT * FROM run WHERE id = ?').get(id);
  return row === undefined ? undefined : runOf(row, now);
}

export function selectSteps(db: Database.Database, run: number): readonly RecordedStep[] {
  return db
    .prepare<[number, number], RecordedStep>(
      'SELECT at, id, message, duration AS milliseconds FROM step WHERE run = ? ORDER BY rowid LIMIT ?',
    )
    .all(run, maxSteps);
}

interface FindingRow extends Omit<RecordedFinding, 'source' | 'path'> {
  readonly source: string | null;
  readonly path: string | null;
}

export function selectFindings(db: Database.Database, run: number): readonly RecordedFinding[] {
  return db
    .prepare<[number, number], FindingRow>(
      'SELECT kind, id, source, path, message FROM finding WHERE run = ? ORDER BY rowid LIMIT ?',
    )
    .all(run, maxFindings)
    .map(({ kind, id, source, path, message }) => ({
      kind,
      id,
      ...(source === null ? {} : { source }),
      ...(path === null ? {} : { path }),
      message,
    }));
}

function runOf(row: RunRow, now: number): RecordedRun {
  const { id, kind, host, pid, steps, findings, error_id: errorId, started_at: startedAt } = row;
  return {
    id,
    kind,
    instance: row.instance ?? undefined,
    schedule: row.schedule ?? undefined,
    slot: row.slot ?? undefined,
    backup: row.backup ?? undefined,
    state: stateOf(row, now),
    startedAt,
    endedAt: row.ended_at ?? undefined,
    exitCode: row.exit_code ?? undefined,
    bytes: row.bytes ?? undefined,
    files: row.files ?? undefined,
    error: errorId === null ? undefined : { id: errorId, message: row.error_message ?? '' },
    host,
    pid,
    steps,
    findings,
  };
}

function stateOf(row: RunRow, now: number): RunState {
  switch (row.result) {
    case 'done':
    case 'incomplete':
    case 'killed':
      return row.result;
    case null:
      return isKilled({ ...row, startedAt: row.started_at }, now) ? 'killed' : 'running';
    default:
      return 'failed';
  }
}
