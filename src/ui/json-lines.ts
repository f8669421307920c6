import type { CompletionSummary } from './json-lines/completion.js';
import type { CreateSummary } from './json-lines/create.js';
import type { DeleteSummary } from './json-lines/delete.js';
import type { CheckLine, DoctorSummary } from './json-lines/doctor.js';
import type { FindingLine } from './json-lines/finding.js';
import type { InitSummary } from './json-lines/init.js';
import type { BackupLine, ListSummary } from './json-lines/list.js';
import type { LockSummary } from './json-lines/lock.js';
import type { RecordedFindingLine, RunLine, RunListSummary } from './json-lines/log.js';
import type { DecisionLine, PruneSummary } from './json-lines/prune.js';
import type { RestoreSummary } from './json-lines/restore.js';
import type { ErrorLine, ProgressLine, StartLine, StepLine } from './json-lines/run.js';
import type { InstallSummary } from './json-lines/schedule-install.js';
import type { ScheduleRunSummary, ScheduledLine } from './json-lines/schedule-run.js';
import type {
  ScheduleChangeSummary,
  ScheduleLine,
  ScheduleListSummary,
  ScheduleNextSummary,
} from './json-lines/schedule.js';
import type { EntryLine, ShowSummary } from './json-lines/show.js';
import type { SourceLine } from './json-lines/source.js';
import type { ProblemLine, StatusSummary } from './json-lines/status.js';
import type { VerifySummary } from './json-lines/verify.js';

// The lines of --json: a contract, described field by field in docs/json-output.md. Every field is always there; `null`
// says that there is nothing to tell. Times are RFC 3339 in UTC, sizes are bytes.

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
