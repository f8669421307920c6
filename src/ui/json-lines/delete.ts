import type { SummaryBase } from './run.js';

export interface DeleteSummary extends SummaryBase {
  readonly command: 'delete';
  readonly backups: readonly { readonly id: string; readonly file: string; readonly bytes: number }[];
  readonly forgotten: readonly string[];
}
