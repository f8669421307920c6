import type { SummaryBase } from './run.js';

export interface LockSummary extends SummaryBase {
  readonly command: 'lock' | 'unlock';
  readonly backups: readonly { readonly id: string; readonly file: string; readonly changed: boolean }[];
}
