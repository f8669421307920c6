import type { Container } from '../../archive/archive.js';
import type { SummaryBase } from './run.js';

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
