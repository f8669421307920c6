import type { SummaryBase } from './run.js';

/** How many entries of a source a restore in place adds, changes, removes and leaves as they are. */
export interface RestoreChange {
  readonly source: string;
  readonly path: string;
  readonly added: number;
  readonly changed: number;
  /** Of those changed: not compared. */
  readonly replaced: number;
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
