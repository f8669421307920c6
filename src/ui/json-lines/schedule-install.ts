import type { SummaryBase } from './run.js';

export interface InstallSummary extends SummaryBase {
  readonly command: 'schedule install' | 'schedule uninstall';
  readonly change: 'installed' | 'removed';
  readonly where: 'crontab' | 'systemd' | 'nowhere';
  readonly lines: readonly string[];
  readonly files: readonly string[];
  readonly toRun: readonly string[];
  readonly notes: readonly string[];
}
