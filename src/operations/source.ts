interface SourceBase {
  /** The top-level name in the archive; one valid path segment, not SHA256SUMS or manifest.json. */
  readonly name: string;
  /** The user's group: `databases`, `snapshots`, `uploads`, `config`, or one of a source's own. */
  readonly scope: string;
  /** Part of a backup that does not say otherwise. */
  readonly enabled: boolean;
}

/** One thing to back up. Paths are absolute. */
export type Source = SourceBase &
  (
    | { readonly type: 'sqlite'; readonly path: string }
    /** `exclude`: globs matched against the path inside the source. */
    | {
        readonly type: 'directory';
        readonly path: string;
        readonly exclude: readonly string[];
        /** The one folder in it that is backed up; all of it where there is none. */
        readonly only?: string;
      }
    /** `patterns`: globs of single files below `path` (no folder is descended into that no pattern names). */
    | {
        readonly type: 'files';
        readonly path: string;
        readonly patterns: readonly string[];
        /** Not every pattern has to match a file: names that may or may not be there. */
        readonly optional: boolean;
      }
  );
