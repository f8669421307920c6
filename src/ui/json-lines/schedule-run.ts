import type { SummaryBase } from './run.js';

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
