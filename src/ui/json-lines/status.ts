import type { HealthId } from '../../policy/health-problem.js';
import type { SummaryBase } from './run.js';

/** Something that `status` found. */
export interface ProblemLine {
  readonly type: 'problem';
  readonly level: 'fault' | 'note';
  readonly id: HealthId;
  readonly subject: string | null;
  readonly message: string;
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
