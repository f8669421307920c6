import type { FoundDatabase } from './found-data.js';
import type { Exclusion } from './known-layouts.js';

interface ProposedBase {
  readonly name: string;
  readonly scope: string;
  readonly enabled: boolean;
  /** What it is, or why it is off, for people: one line or none. */
  readonly about: string;
}

/** A source as a configuration would have it. Paths are relative to the root. */
export type ProposedSource = ProposedBase &
  (
    | { readonly type: 'sqlite'; readonly path: string; readonly database: FoundDatabase }
    | { readonly type: 'directory'; readonly path: string; readonly exclude: readonly Exclusion[] }
    | { readonly type: 'files'; readonly paths: readonly string[] }
  );

/** What of a folder is worth backing up. */
export interface Proposal {
  /** Applications whose layout was recognised. */
  readonly applications: readonly string[];
  readonly sources: readonly ProposedSource[];
  readonly advice: readonly string[];
  /** Databases that belong to no source: too many of them, or of names that no configuration can hold. */
  readonly unnamed: readonly string[];
  /** Folders at the top that no source covers. */
  readonly uncovered: readonly string[];
}

/** What is backed up already: paths below the root. */
export interface Claimed {
  readonly databases: readonly string[];
  readonly folders: readonly string[];
  /** Names that sources have. */
  readonly names: readonly string[];
  /** There is a source for settings and secrets. */
  readonly hasConfiguration: boolean;
}

export const nothingClaimed: Claimed = { databases: [], folders: [], names: [], hasConfiguration: false };

/** Whether a path is a folder or lies below it; `.` holds everything. */
export const isIn = (path: string, folder: string): boolean =>
  folder === '.' || path === folder || path.startsWith(`${folder}/`);
