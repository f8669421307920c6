import type { Container } from '../archive/archive.js';
import type { Phase } from '../base/progress.js';
import type { FindingId, FindingKind } from '../manifest/findings.js';
import type { ManifestDatabase, SourceType, Totals } from '../manifest/manifest.js';
import type { BackupStatus } from '../operations/list-backups.js';
import type { RememberedBackup } from '../operations/remembered-backups.js';
import type { HealthId } from '../policy/health-problem.js';
import type { Verdict as CheckVerdict } from '../operations/doctor/check.js';
import type { Verdict } from '../operations/verify-backup.js';

// The lines of --json: a contract, described field by field in docs/json-output.md. Every field is always there; `null`
// says that there is nothing to tell. Times are RFC 3339 in UTC, sizes are bytes.

export interface StartLine {
  readonly type: 'start';
  readonly time: string;
  readonly command: string;
  readonly version: string;
  readonly dryRun: boolean;
}

export interface StepLine {
  readonly type: 'step';
  readonly time: string;
  readonly id: string;
  readonly message: string;
}

export interface ProgressLine {
  readonly type: 'progress';
  readonly phase: Phase;
  readonly bytes: number;
  readonly totalBytes: number | null;
  readonly path: string | null;
}

export interface FindingLine {
  readonly type: 'finding';
  readonly file: string | null;
  readonly kind: FindingKind;
  readonly id: FindingId;
  readonly title: string;
  readonly source: string | null;
  readonly path: string | null;
  readonly message: string;
}

export interface SourceLine {
  readonly type: 'source';
  readonly name: string;
  readonly sourceType: SourceType | null;
  readonly scope: string | null;
  readonly path: string | null;
  readonly place: string | null;
  readonly selected: boolean;
  readonly files: number | null;
  readonly bytes: number | null;
  readonly database: ManifestDatabase | null;
  readonly liveDatabases: readonly string[];
}

export interface BackupLine {
  readonly type: 'backup';
  readonly id: string | null;
  readonly file: string | null;
  readonly instance: string | null;
  readonly foreign: boolean;
  readonly time: string | null;
  readonly bytes: number;
  readonly format: Container | null;
  readonly includes: readonly string[];
  readonly scopes: readonly string[];
  readonly origin: string | null;
  readonly status: BackupStatus | RememberedBackup['status'];
  readonly locked: boolean;
  readonly encrypted: boolean;
  readonly losses: number;
  readonly reason: string | null;
  readonly run: number | null;
}

export interface DecisionLine {
  readonly type: 'decision';
  readonly id: string;
  readonly file: string;
  readonly bytes: number;
  readonly origin: string | null;
  readonly keep: boolean;
  readonly reasons: readonly string[];
}

/** The definition of a schedule; see docs/json-output.md. */
export interface ScheduleFields {
  readonly name: string;
  readonly enabled: boolean;
  readonly frequency: string;
  readonly timeOfDay: string;
  readonly dayOfWeek: string | null;
  readonly dayOfMonth: number | null;
  readonly timezone: string | null;
  readonly keep: number;
  readonly scopes: readonly string[] | null;
  readonly project: string | null;
  readonly format: Container | null;
  readonly options: Readonly<Record<string, unknown>>;
  readonly next: string | null;
}

export interface ScheduleLine extends ScheduleFields {
  readonly type: 'schedule';
  readonly due: boolean;
  readonly lastGood: string | null;
  readonly lastRun: string | null;
  readonly lastOutcome: 'complete' | 'incomplete' | 'failed' | null;
  readonly overdueSince: string | null;
}

/** A run as the catalogue has it; see docs/json-output.md. */
export interface RunFields {
  readonly run: number;
  readonly kind: string;
  readonly instance: string | null;
  readonly schedule: string | null;
  readonly slot: string | null;
  readonly backup: string | null;
  readonly state: 'running' | 'done' | 'incomplete' | 'failed' | 'killed';
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly runExitCode: number | null;
  readonly bytes: number | null;
  readonly files: number | null;
  readonly error: { readonly id: string; readonly message: string } | null;
}

export interface RunLine extends RunFields {
  readonly type: 'run';
}

/** A finding of a run of the past: of whatever version made it. */
export interface RecordedFindingLine {
  readonly type: 'recorded-finding';
  readonly kind: string;
  readonly id: string;
  readonly source: string | null;
  readonly path: string | null;
  readonly message: string;
}

/** What `schedule run` did for a schedule that was due. */
export interface ScheduledLine {
  readonly type: 'scheduled';
  readonly schedule: string;
  readonly slot: string;
  readonly attempt: number;
  readonly outcome: 'done' | 'incomplete' | 'failed' | 'skipped' | 'planned';
  readonly id: string | null;
  readonly file: string | null;
  readonly exitCode: number;
  readonly error: { readonly id: string; readonly message: string; readonly hint: string | null } | null;
}

/** Something that `status` found. */
export interface ProblemLine {
  readonly type: 'problem';
  readonly level: 'fault' | 'note';
  readonly id: HealthId;
  readonly subject: string | null;
  readonly message: string;
}

export interface EntryLine {
  readonly type: 'entry';
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'link';
  readonly bytes: number;
  readonly mode: string;
  readonly time: string | null;
  readonly uid: number;
  readonly gid: number;
  readonly target: string | null;
}

export interface CheckLine {
  readonly type: 'check';
  readonly id: string;
  readonly verdict: CheckVerdict;
  readonly message: string;
  readonly hint: string | null;
  readonly path: string | null;
}

interface SummaryBase {
  readonly type: 'summary';
  readonly id: string | null;
  readonly file: string | null;
  readonly sha256: string | null;
  readonly complete: boolean | null;
  readonly verified: boolean | null;
  readonly exitCode: number;
  readonly durationMs: number;
}

export interface CreateSummary extends SummaryBase {
  readonly command: 'create';
  readonly dryRun: boolean;
  readonly instance: string;
  readonly format: Container;
  readonly encrypted: boolean;
  readonly bytes: number | null;
  readonly leftOut: readonly string[];
  /** Where copies lie. */
  readonly copies: readonly string[];
  /** Ids of what retention removed in the storage. */
  readonly removed: readonly string[];
  readonly counts: {
    readonly sources: number;
    readonly files: number;
    readonly directories: number | null;
    readonly links: number | null;
    readonly contentBytes: number;
    readonly losses: number;
    readonly notes: number;
  };
}

export interface ListSummary extends SummaryBase {
  readonly command: 'list';
  readonly instance: string | null;
  readonly storage: string;
  readonly counts: { readonly shown: number; readonly own: number; readonly foreign: number; readonly bytes: number };
}

export interface ShowSummary extends SummaryBase {
  readonly command: 'show';
  readonly sha256From: 'side-file' | 'computed' | null;
  readonly format: Container | null;
  readonly bytes: number | null;
  readonly formatVersion: string | null;
  readonly generatedAt: string | null;
  readonly generator: { readonly name: string; readonly version: string } | null;
  readonly instance: string | null;
  readonly root: string | null;
  readonly host: string | null;
  readonly schedule: string | null;
  readonly comment: string | null;
  readonly includes: readonly string[] | null;
  readonly excludes: readonly string[] | null;
  readonly encrypted: boolean | null;
  readonly totals: Totals | null;
}

export interface VerifiedLine {
  readonly id: string;
  readonly file: string;
  readonly sha256: string | null;
  readonly verdict: Verdict | 'failed';
  readonly complete: boolean | null;
  readonly verified: boolean;
  readonly files: number;
  readonly bytes: number;
  readonly databases: number;
  readonly exitCode: number;
  readonly error: { readonly id: string; readonly message: string; readonly hint: string | null } | null;
}

export interface VerifySummary extends SummaryBase {
  readonly command: 'verify';
  readonly quick: boolean;
  readonly backups: readonly VerifiedLine[];
  readonly counts: {
    readonly intact: number;
    readonly incomplete: number;
    readonly damaged: number;
    readonly failed: number;
  };
}

/** How many entries of a source a restore in place adds, changes, removes and leaves as they are. */
export interface RestoreChange {
  readonly source: string;
  readonly path: string;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly kept: number;
}

/** What a restore in place needs on one file system beside what is there; `safety` is an estimate, and part of `needs`. */
export interface RestoreSpace {
  readonly folder: string;
  readonly needs: number | null;
  readonly safety: number;
  readonly free: number;
}

/** What becomes of the schedules in the application's database; `known: false` where they could not be compared. */
export interface RestoreSchedules {
  readonly known: boolean;
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** What somebody else did meanwhile: see `Unexpected` in fs/swap-survey.ts. */
export interface RestoreSurprise {
  readonly kind: 'moved' | 'altered' | 'gone';
  readonly path: string;
  readonly at: string | null;
}

export interface RestoreSummary extends SummaryBase {
  readonly command: 'restore';
  readonly dryRun: boolean;
  readonly inPlace: boolean;
  readonly outcome: 'restored' | 'finished' | 'undone' | 'nothing' | null;
  readonly target: string | null;
  readonly sources: readonly string[];
  readonly changes: readonly RestoreChange[];
  readonly space: readonly RestoreSpace[];
  readonly inUse: readonly { readonly path: string; readonly pid: number; readonly command: string }[];
  readonly schedules: RestoreSchedules | null;
  readonly safety: { readonly id: string; readonly file: string; readonly complete: boolean } | null;
  readonly kept: readonly { readonly path: string; readonly reason: string }[];
  readonly unexpected: readonly RestoreSurprise[];
  readonly counts: {
    readonly files: number | null;
    readonly directories: number | null;
    readonly links: number | null;
    readonly bytes: number | null;
    readonly databases: number | null;
    readonly losses: number;
    readonly notes: number;
  };
}

export interface LockSummary extends SummaryBase {
  readonly command: 'lock' | 'unlock';
  readonly backups: readonly { readonly id: string; readonly file: string; readonly changed: boolean }[];
}

export interface DeleteSummary extends SummaryBase {
  readonly command: 'delete';
  readonly backups: readonly { readonly id: string; readonly file: string; readonly bytes: number }[];
  readonly forgotten: readonly string[];
}

export interface PruneSummary extends SummaryBase {
  readonly command: 'prune';
  readonly dryRun: boolean;
  readonly counts: {
    readonly kept: number;
    readonly removed: number;
    readonly left: number;
    readonly removedBytes: number;
  };
}

export interface ScheduleChangeSummary extends SummaryBase {
  readonly command: 'schedule';
  readonly change: 'made' | 'changed' | 'enabled' | 'disabled' | 'removed';
  readonly name: string;
  readonly location: string;
  readonly schedule: ScheduleFields | null;
}

export interface ScheduleListSummary extends SummaryBase {
  readonly command: 'schedule list';
  readonly location: string;
  readonly invalid: readonly { readonly name: string | null; readonly message: string }[];
  readonly counts: { readonly schedules: number; readonly invalid: number };
}

export interface ScheduleNextSummary extends SummaryBase {
  readonly command: 'schedule next';
  readonly slots: readonly { readonly schedule: string; readonly time: string }[];
}

export interface InstallSummary extends SummaryBase {
  readonly command: 'schedule install' | 'schedule uninstall';
  readonly change: 'installed' | 'removed';
  readonly where: 'crontab' | 'systemd' | 'nowhere';
  readonly lines: readonly string[];
  readonly files: readonly string[];
  readonly toRun: readonly string[];
  readonly notes: readonly string[];
}

export interface ScheduleRunSummary extends SummaryBase {
  readonly command: 'schedule run';
  readonly dryRun: boolean;
  readonly invalid: readonly { readonly name: string | null; readonly message: string }[];
  readonly reverified: readonly { readonly id: string; readonly verdict: string }[];
  readonly counts: {
    readonly due: number;
    readonly done: number;
    readonly incomplete: number;
    readonly failed: number;
    readonly skipped: number;
  };
}

export interface RunListSummary extends SummaryBase {
  readonly command: 'log';
  readonly counts: { readonly runs: number; readonly steps: number; readonly findings: number };
}

export interface StatusSummary extends SummaryBase {
  readonly command: 'status';
  readonly healthy: boolean;
  readonly instance: string;
  readonly storage: string;
  readonly lastGood: string | null;
  readonly lastGoodAge: number | null;
  readonly freeBytes: number | null;
  readonly sameDevice: readonly string[];
  readonly schedules: readonly {
    readonly name: string;
    readonly enabled: boolean;
    readonly lastGood: string | null;
    readonly lastRun: string | null;
    readonly lastOutcome: 'complete' | 'incomplete' | 'failed' | null;
    readonly next: string | null;
    readonly overdueSince: string | null;
  }[];
  readonly counts: {
    readonly backups: number;
    readonly bytes: number;
    readonly faults: number;
    readonly notes: number;
  };
}

export interface InitSummary extends SummaryBase {
  readonly command: 'init';
  readonly dryRun: boolean;
  readonly root: string;
  readonly applications: readonly string[];
  readonly configFile: string;
  readonly written: boolean;
  readonly text: string;
  readonly unread: readonly { readonly path: string; readonly reason: string }[];
  readonly unnamed: readonly string[];
  readonly uncovered: readonly string[];
  readonly missing: readonly string[];
  readonly cut: 'entries' | 'depth' | 'time' | null;
}

export interface DoctorSummary extends SummaryBase {
  readonly command: 'doctor';
  readonly instance: string | null;
  readonly root: string | null;
  readonly storage: string | null;
  readonly verdict: CheckVerdict;
  readonly counts: { readonly ok: number; readonly warn: number; readonly fail: number };
}

export interface CompletionSummary extends SummaryBase {
  readonly command: 'completion';
  readonly text: string;
}

export interface ErrorLine {
  readonly type: 'error';
  readonly id: string;
  readonly message: string;
  readonly hint: string | null;
  readonly path: string | null;
  readonly exitCode: number;
  readonly stack: string | null;
}

export type SummaryLine =
  | CreateSummary
  | ListSummary
  | ShowSummary
  | VerifySummary
  | RestoreSummary
  | LockSummary
  | DeleteSummary
  | PruneSummary
  | ScheduleChangeSummary
  | ScheduleListSummary
  | ScheduleNextSummary
  | RunListSummary
  | StatusSummary
  | ScheduleRunSummary
  | InstallSummary
  | InitSummary
  | DoctorSummary
  | CompletionSummary;
export type JsonLine =
  | StartLine
  | StepLine
  | ProgressLine
  | FindingLine
  | SourceLine
  | BackupLine
  | DecisionLine
  | ScheduleLine
  | RunLine
  | ProblemLine
  | ScheduledLine
  | RecordedFindingLine
  | EntryLine
  | CheckLine
  | SummaryLine
  | ErrorLine;

/** What every summary has of the run itself. */
export interface RunEnd {
  readonly exitCode: number;
  readonly durationMs: number;
}
