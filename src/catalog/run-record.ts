/** What a run was for. */
export type RunKind =
  | 'create'
  | 'verify'
  | 'restore'
  | 'recover'
  | 'prune'
  | 'delete'
  | 'lock'
  | 'unlock'
  | 'schedule-run'
  | 'schedule-change';

/** What is known of a run when it begins. */
export interface RunBeginning {
  readonly kind: RunKind;
  readonly instance?: string;
  /** The schedule's name, of a run that fills its slot. */
  readonly schedule?: string;
  /** Milliseconds since 1970: the time the schedule asked for. */
  readonly slot?: number;
}

/** How a run ended. */
export interface RunEnding {
  readonly exitCode: number;
  /** The id of the backup it made or worked on. */
  readonly backup?: string;
  /** Of the archive as a file. */
  readonly bytes?: number;
  readonly files?: number;
  readonly error?: RunError;
}

export interface RunError {
  readonly id: string;
  readonly message: string;
}

export interface RecordedFinding {
  readonly kind: string;
  readonly id: string;
  readonly source?: string;
  readonly path?: string;
  readonly message: string;
}

export interface RecordedStep {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly id: string;
  readonly message: string;
  /** Milliseconds since the step before it, or since the run began. */
  readonly milliseconds: number;
}

/** `killed`: it never ended, and its process is gone. */
export type RunState = 'running' | 'done' | 'incomplete' | 'failed' | 'killed';

export interface RecordedRun {
  /** Counts up; what a user names a run by. */
  readonly id: number;
  readonly kind: string;
  readonly instance: string | undefined;
  readonly schedule: string | undefined;
  readonly slot: number | undefined;
  readonly backup: string | undefined;
  readonly state: RunState;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly exitCode: number | undefined;
  readonly bytes: number | undefined;
  readonly files: number | undefined;
  readonly error: RunError | undefined;
  readonly host: string;
  readonly pid: number;
  /** How many there were; not all of them need have been kept. */
  readonly steps: number;
  readonly findings: number;
}

export interface RunDetails {
  readonly run: RecordedRun;
  readonly steps: readonly RecordedStep[];
  readonly findings: readonly RecordedFinding[];
}

/** That an archive was proven, or found damaged. */
export interface Verification {
  /** The archive's file name in the storage. */
  readonly archive: string;
  /** Of the archive as a file; undefined where it could not be read to its end. */
  readonly sha256: string | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly verdict: string;
}

/** Longer texts are cut: a history is no place for what a hostile archive says. Characters. */
const longestText = 1000;

export function boundedText(text: string): string {
  return (text.length > longestText ? `${text.slice(0, longestText - 1)}…` : text).toWellFormed();
}
