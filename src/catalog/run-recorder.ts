import type Database from 'better-sqlite3';
import type { Clock } from '../base/clock.js';
import { exitCodes } from '../base/exit-codes.js';
import type { CatalogFile, Outcome } from './catalog-file.js';
import type { ProcessIdentity } from './process-identity.js';
import {
  boundedText,
  type RecordedFinding,
  type RecordedStep,
  type RunBeginning,
  type RunEnding,
} from './run-record.js';
import { markKilled, maxFindings, maxSteps, trimRuns } from './run-upkeep.js';

/** Tells the catalogue of one run. Never throws; whatever could not be written is in the catalogue's `warning`. */
export interface RunRecorder {
  /** Written within a moment, together with others. */
  step(id: string, message: string): void;
  finding(finding: RecordedFinding): void;
  /** Written at once. What is told afterwards is not. */
  end(ending: RunEnding): void;
}

/** Milliseconds that a step may wait for others: one transaction costs a slow disk several of these. */
const gatherTime = 200;
/** After a failure (somebody holds the catalogue, the disk is full): each attempt may block for a second. */
const retryTime = 30_000;
/** How often the end of a run is tried: others may be faster again and again. Each attempt may block for a second. */
const endAttempts = 3;
/** While there is no storage yet: a look is cheap. */
const noStorageTime = 1000;

const insertRun = `INSERT INTO run (key, kind, instance, schedule, slot, started_at, host, pid, boot, namespace, began)
  VALUES (@key, @kind, @instance, @schedule, @slot, @startedAt, @host, @pid, @boot, @namespace, @began)
  ON CONFLICT (key) DO NOTHING`;
const insertStep = 'INSERT INTO step (run, at, id, message, duration) VALUES (?, ?, ?, ?, ?)';
const insertFinding = 'INSERT INTO finding (run, kind, id, source, path, message) VALUES (?, ?, ?, ?, ?, ?)';
const countUp = 'UPDATE run SET steps = ?, findings = ? WHERE id = ?';
const endRun = `UPDATE run SET ended_at = ?, result = ?, exit_code = ?, backup = ?, bytes = ?, files = ?, error_id = ?,
  error_message = ? WHERE id = ?`;

export class CatalogRecorder implements RunRecorder {
  readonly #file: CatalogFile;
  readonly #clock: Clock;
  readonly #run: Readonly<Record<string, string | number | null>>;
  #steps: RecordedStep[] = [];
  #findings: RecordedFinding[] = [];
  #counts = { steps: 0, findings: 0 };
  #lastStep: number;
  #timer: NodeJS.Timeout | undefined;
  #isBegun = false;
  #isEnded = false;

  /** `key`: no other run has it. Its row is written at once where there is a storage already. */
  constructor(file: CatalogFile, clock: Clock, key: string, beginning: RunBeginning, identity: ProcessIdentity) {
    this.#file = file;
    this.#clock = clock;
    const { kind, instance = null, schedule = null, slot = null } = beginning;
    this.#run = { key, kind, instance, schedule, slot, startedAt: Math.round(clock.now()), ...identity };
    this.#lastStep = clock.monotonic();
    this.#write({ quietly: true });
  }

  step(id: string, message: string): void {
    if (this.#isEnded) return;
    const now = this.#clock.monotonic();
    const milliseconds = Math.round(now - this.#lastStep);
    this.#lastStep = now;
    this.#counts.steps += 1;
    if (this.#counts.steps > maxSteps) return;
    this.#steps.push({ at: Math.round(this.#clock.now()), id, message: boundedText(message), milliseconds });
    this.#writeIn(gatherTime);
  }

  finding({ kind, id, source, path, message }: RecordedFinding): void {
    if (this.#isEnded) return;
    this.#counts.findings += 1;
    if (this.#counts.findings > maxFindings) return;
    this.#findings.push({
      kind,
      id,
      message: boundedText(message),
      ...(source === undefined ? {} : { source: boundedText(source) }),
      ...(path === undefined ? {} : { path: boundedText(path) }),
    });
    this.#writeIn(gatherTime);
  }

  end(ending: RunEnding): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearTimeout(this.#timer);
    for (let attempt = 1; attempt < endAttempts; attempt++) {
      if (this.#write({ quietly: true, ending }) !== 'failed') return;
    }
    this.#write({ quietly: false, ending });
  }

  #writeIn(milliseconds: number): void {
    // It keeps no process alive: the end of a run writes what is left.
    this.#timer ??= setTimeout(() => void this.#write({ quietly: true }), milliseconds).unref();
  }

  /** One transaction. What it could not write is kept for the next. */
  #write({ quietly, ending }: { readonly quietly: boolean; readonly ending?: RunEnding }): Outcome<void>['kind'] {
    this.#timer = undefined;
    const { kind } = this.#file.use(
      'write',
      (db) => db.transaction(() => this.#insert(db, ending)).immediate(),
      quietly,
    );
    if (kind === 'done') {
      this.#isBegun = true;
      this.#steps = [];
      this.#findings = [];
    } else if (ending === undefined && this.#steps.length + this.#findings.length > 0) {
      this.#writeIn(kind === 'nothing' ? noStorageTime : retryTime);
    }
    return kind;
  }

  #insert(db: Database.Database, ending: RunEnding | undefined): void {
    if (!this.#isBegun) {
      markKilled(db, this.#clock.now());
      trimRuns(db);
    }
    // Again each time: the catalogue may have been begun anew meanwhile.
    db.prepare(insertRun).run(this.#run);
    const run = db.prepare<[unknown], number>('SELECT id FROM run WHERE key = ?').pluck().get(this.#run['key']);
    const step = db.prepare(insertStep);
    for (const { at, id, message, milliseconds } of this.#steps) step.run(run, at, id, message, milliseconds);
    const finding = db.prepare(insertFinding);
    for (const { kind, id, source = null, path = null, message } of this.#findings)
      finding.run(run, kind, id, source, path, message);
    db.prepare(countUp).run(this.#counts.steps, this.#counts.findings, run);
    if (ending !== undefined) db.prepare(endRun).run(...this.#ended(ending), run);
  }

  #ended(ending: RunEnding): (string | number | null)[] {
    const { exitCode, backup = null, bytes = null, files = null, error } = ending;
    const [id, message] = error === undefined ? [null, null] : [error.id, boundedText(error.message)];
    return [Math.round(this.#clock.now()), resultOf(exitCode), exitCode, backup, bytes, files, id, message];
  }
}

function resultOf(exitCode: number): 'done' | 'incomplete' | 'failed' {
  if (exitCode === exitCodes.done) return 'done';
  return exitCode === exitCodes.incomplete ? 'incomplete' : 'failed';
}
