import type { Container } from '../../archive/archive.js';
import type { SummaryBase } from './run.js';

export interface CreateSummary extends SummaryBase {
  readonly command: 'create';
  readonly dryRun: boolean;
  readonly instance: string;
  readonly format: Container;
  readonly encrypted: boolean;
  readonly bytes: number | null;
  readonly leftOut: readonly string[];
  /** Files that did not change since the backup before, and were taken over from it; bytes of content. */
  readonly takenOver: { readonly files: number; readonly bytes: number };
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
