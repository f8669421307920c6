import type { SummaryBase } from './run.js';

export interface DecisionLine {
  readonly type: 'decision';
  readonly id: string;
  readonly file: string;
  readonly bytes: number;
  readonly origin: string | null;
  readonly keep: boolean;
  readonly reasons: readonly string[];
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
