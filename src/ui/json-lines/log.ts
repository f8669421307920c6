import type { SummaryBase } from './run.js';

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

export interface RunListSummary extends SummaryBase {
  readonly command: 'log';
  readonly counts: { readonly runs: number; readonly steps: number; readonly findings: number };
}
