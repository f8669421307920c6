import type { SummaryBase } from './run.js';

export interface InitSummary extends SummaryBase {
  readonly command: 'init';
  readonly dryRun: boolean;
  readonly root: string;
  readonly applications: readonly string[];
  readonly configFile: string;
  readonly written: boolean;
  readonly text: string;
  readonly unread: readonly { readonly path: string; readonly reason: string }[];
  readonly unnamed: readonly string[];
  readonly uncovered: readonly string[];
  readonly missing: readonly string[];
  readonly cut: 'entries' | 'depth' | 'time' | null;
}
