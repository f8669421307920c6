import type { Container } from '../../archive/archive.js';
import type { BackupStatus } from '../../operations/list-backups.js';
import type { RememberedBackup } from '../../operations/remembered-backups.js';
import type { SummaryBase } from './run.js';

export interface BackupLine {
  readonly type: 'backup';
  readonly id: string | null;
  readonly file: string | null;
  readonly instance: string | null;
  readonly foreign: boolean;
  readonly time: string | null;
  readonly bytes: number;
  readonly format: Container | null;
  readonly includes: readonly string[];
  readonly scopes: readonly string[];
  readonly origin: string | null;
  readonly status: BackupStatus | RememberedBackup['status'];
  readonly locked: boolean;
  readonly encrypted: boolean;
  readonly losses: number;
  readonly comment: string | null;
  readonly reason: string | null;
  readonly run: number | null;
}

export interface ListSummary extends SummaryBase {
  readonly command: 'list';
  readonly instance: string | null;
  readonly storage: string;
  readonly counts: { readonly shown: number; readonly own: number; readonly foreign: number; readonly bytes: number };
}
