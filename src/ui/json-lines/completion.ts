import type { SummaryBase } from './run.js';

export interface CompletionSummary extends SummaryBase {
  readonly command: 'completion';
  readonly text: string;
}
