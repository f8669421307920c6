import type { ManifestDatabase, SourceType } from '../../manifest/manifest.js';

export interface SourceLine {
  readonly type: 'source';
  readonly name: string;
  readonly sourceType: SourceType | null;
  readonly scope: string | null;
  readonly path: string | null;
  readonly place: string | null;
  readonly selected: boolean;
  readonly files: number | null;
  readonly bytes: number | null;
  readonly database: ManifestDatabase | null;
  readonly liveDatabases: readonly string[];
}
