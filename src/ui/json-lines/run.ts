import type { Phase } from '../../base/progress.js';

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

export interface SummaryBase {
  readonly type: 'summary';
  readonly id: string | null;
  readonly file: string | null;
  readonly sha256: string | null;
  readonly complete: boolean | null;
  readonly verified: boolean | null;
  readonly exitCode: number;
  readonly durationMs: number;
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

/** What every summary has of the run itself. */
export interface RunEnd {
  readonly exitCode: number;
  readonly durationMs: number;
}
