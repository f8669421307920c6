import type { Container } from '../../archive/archive.js';
import type { Totals } from '../../manifest/manifest.js';
import type { SummaryBase } from './run.js';

export interface EntryLine {
  readonly type: 'entry';
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'link';
  readonly bytes: number;
  readonly mode: string;
  readonly time: string | null;
  readonly uid: number;
  readonly gid: number;
  readonly target: string | null;
}

export interface ShowSummary extends SummaryBase {
  readonly command: 'show';
  readonly sha256From: 'side-file' | 'computed' | null;
  readonly format: Container | null;
  readonly bytes: number | null;
  readonly formatVersion: string | null;
  readonly generatedAt: string | null;
  readonly generator: { readonly name: string; readonly version: string } | null;
  readonly instance: string | null;
  readonly root: string | null;
  readonly host: string | null;
  readonly schedule: string | null;
  readonly comment: string | null;
  readonly includes: readonly string[] | null;
  readonly excludes: readonly string[] | null;
  readonly encrypted: boolean | null;
  readonly totals: Totals | null;
}
