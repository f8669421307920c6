import { randomUUID } from 'node:crypto';
import type Database from 'better-sqlite3';
import type { Clock } from '../base/clock.js';
import { CatalogFile } from './catalog-file.js';
import { ownIdentity } from './process-identity.js';
import type { RecordedRun, RunBeginning, RunDetails, Verification } from './run-record.js';
import { CatalogRecorder, type RunRecorder } from './run-recorder.js';
import { selectFindings, selectRun, selectRuns, selectSteps, type RunFilter } from './run-rows.js';
import { maxArchives, trimArchives } from './run-upkeep.js';

/** What the catalogue says, or that it cannot tell: it is damaged, locked, of a newer version, or may not be read. */
export type Answer<T> = T | 'unknown';

export interface OfSchedule {
  readonly instance: string;
  readonly schedule: string;
}

/** What was known of a backup until it was to be deleted. */
export interface Forgotten {
  readonly backup: string;
  /** Its last one. */
  readonly verification: Verification | undefined;
}

/**
 * The history of a storage: which runs there were, with steps, findings and results, and when archives were verified. Never a
 * reason for anything to fail: no method throws. What cannot be written is not; what cannot be read is `unknown`, and what was
 * never written is empty. A damaged one is moved aside (by who writes) and begun anew. It may be deleted at any time.
 */
export interface Catalog {
  /** A sentence to be told at the end of a run: why history was lost. Undefined while none was. */
  readonly warning: string | undefined;
  beginRun(beginning: RunBeginning): RunRecorder;
  /** Newest first. */
  runs(filter?: RunFilter): Answer<readonly RecordedRun[]>;
  /** By its id; undefined where there is none. */
  run(which: number | 'latest'): Answer<RunDetails | undefined>;
  /** The newest backup of a schedule that lacks nothing. */
  lastSuccess(of: OfSchedule): Answer<RecordedRun | undefined>;
  /** The newest backups of a schedule that were tried, whatever became of them: those that run now too. Default: 10. */
  lastAttempts(of: OfSchedule, limit?: number): Answer<readonly RecordedRun[]>;
  /** Takes the place of an earlier one of the same archive. */
  recordVerification(verification: Verification): void;
  /** Of each archive the last, the oldest first: those never verified are not among them. */
  verifications(): Answer<readonly Verification[]>;
  /** Ids of backups that runs of an instance made and nobody was told to delete; newest first, the last thousand. */
  made(instance: string): Answer<readonly string[]>;
  /** Lets go of what is known of an archive that is to be deleted, and gives it. `backup`: its id. */
  forget(archive: string, backup: string): Forgotten;
  /** Takes that back: the backup could not be deleted. */
  remember(forgotten: Forgotten): void;
  close(): void;
}

const defaultAttempts = 10;
const mostMade = 1000;
const selectMade = `SELECT backup FROM run WHERE kind = 'create' AND instance = ? AND backup IS NOT NULL
  AND removed_at IS NULL AND result IN ('done', 'incomplete') ORDER BY id DESC LIMIT ?`;

const selectVerified =
  'SELECT name AS archive, sha256, verified_at AS at, verdict FROM archive WHERE verified_at IS NOT NULL';

type VerificationRow = Omit<Verification, 'sha256'> & { readonly sha256: string | null };

const verificationOf = (row: VerificationRow): Verification => ({ ...row, sha256: row.sha256 ?? undefined });

function insertVerification(db: Database.Database, { archive, sha256, at, verdict }: Verification): void {
  const insert = db.prepare('INSERT OR REPLACE INTO archive (name, sha256, verified_at, verdict) VALUES (?, ?, ?, ?)');
  insert.run(archive, sha256 ?? null, Math.round(at), verdict);
}

/** Opens nothing yet: the file is made by the first run that is recorded. `storageFolder` may not exist. */
export async function openCatalog(storageFolder: string, clock: Clock): Promise<Catalog> {
  const { default: Sqlite } = await import('better-sqlite3');
  return new SqliteCatalog(new CatalogFile(storageFolder, clock, (path, options) => new Sqlite(path, options)), clock);
}

class SqliteCatalog implements Catalog {
  readonly #file: CatalogFile;
  readonly #clock: Clock;

  constructor(file: CatalogFile, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  get warning(): string | undefined {
    return this.#file.warning;
  }

  beginRun(beginning: RunBeginning): RunRecorder {
    return new CatalogRecorder(this.#file, this.#clock, randomUUID(), beginning, ownIdentity());
  }

  runs(filter: RunFilter = {}): Answer<readonly RecordedRun[]> {
    return this.#read((db) => selectRuns(db, filter, this.#clock.now()), []);
  }

  run(which: number | 'latest'): Answer<RunDetails | undefined> {
    return this.#read((db) => {
      const now = this.#clock.now();
      const run = which === 'latest' ? selectRuns(db, { limit: 1 }, now)[0] : selectRun(db, which, now);
      if (run === undefined) return undefined;
      return { run, steps: selectSteps(db, run.id), findings: selectFindings(db, run.id) };
    }, undefined);
  }

  lastSuccess(of: OfSchedule): Answer<RecordedRun | undefined> {
    const runs = this.runs({ ...of, kind: 'create', result: 'done', limit: 1 });
    return runs === 'unknown' ? runs : runs[0];
  }

  lastAttempts(of: OfSchedule, limit = defaultAttempts): Answer<readonly RecordedRun[]> {
    return this.runs({ ...of, kind: 'create', limit });
  }

  recordVerification(verification: Verification): void {
    this.#write((db) => {
      insertVerification(db, verification);
      trimArchives(db);
    });
  }

  verifications(): Answer<readonly Verification[]> {
    const oldestFirst = `${selectVerified} ORDER BY verified_at, name LIMIT ?`;
    return this.#read(
      (db) => db.prepare<[number], VerificationRow>(oldestFirst).all(maxArchives).map(verificationOf),
      [],
    );
  }

  made(instance: string): Answer<readonly string[]> {
    return this.#read((db) => db.prepare<[string, number], string>(selectMade).pluck().all(instance, mostMade), []);
  }

  forget(archive: string, backup: string): Forgotten {
    let verification: Verification | undefined;
    this.#write((db) => {
      const row = db.prepare<[string], VerificationRow>(`${selectVerified} AND name = ?`).get(archive);
      verification = row === undefined ? undefined : verificationOf(row);
      db.prepare('DELETE FROM archive WHERE name = ?').run(archive);
      db.prepare('UPDATE run SET removed_at = ? WHERE backup = ?').run(Math.round(this.#clock.now()), backup);
    });
    return { backup, verification };
  }

  remember({ backup, verification }: Forgotten): void {
    this.#write((db) => {
      db.prepare('UPDATE run SET removed_at = NULL WHERE backup = ?').run(backup);
      if (verification !== undefined) insertVerification(db, verification);
    });
  }

  close(): void {
    this.#file.close();
  }

  /** `nothing`: what is said where there is no catalogue. */
  #read<T>(work: (db: Database.Database) => T, nothing: T): Answer<T> {
    const outcome = this.#file.use('read', work);
    if (outcome.kind === 'done') return outcome.value;
    return outcome.kind === 'nothing' ? nothing : 'unknown';
  }

  #write(work: (db: Database.Database) => void): void {
    this.#file.use('write', (db) => db.transaction(() => work(db)).immediate());
  }
}
