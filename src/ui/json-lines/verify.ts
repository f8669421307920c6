import type { Verdict } from '../../operations/verify-backup.js';
import type { SummaryBase } from './run.js';

export interface VerifiedLine {
  readonly id: string;
  readonly file: string;
  readonly sha256: string | null;
  readonly verdict: Verdict | 'failed';
  readonly complete: boolean | null;
  readonly verified: boolean;
  readonly files: number;
  readonly bytes: number;
  readonly databases: number;
  readonly exitCode: number;
  readonly error: { readonly id: string; readonly message: string; readonly hint: string | null } | null;
}

export interface VerifySummary extends SummaryBase {
  readonly command: 'verify';
  readonly quick: boolean;
  readonly backups: readonly VerifiedLine[];
  readonly counts: {
    readonly intact: number;
    readonly incomplete: number;
    readonly damaged: number;
    readonly failed: number;
  };
}
