/** A SQLite file, known by its header. Paths are relative to the folder that was looked at, `/` between segments. */
export interface FoundDatabase {
  readonly path: string;
  /** With its `-wal`. */
  readonly bytes: number;
  /** As its header says. */
  readonly journalMode: 'wal' | 'delete';
  /** It has sidecars: an application has it open, or was killed. */
  readonly live: boolean;
}

/** A symbolic link to something that is there. */
export interface FoundLink {
  readonly path: string;
  readonly to: 'folder' | 'file';
  /** Where that lies: below the folder that was looked at, else absolute. A real path. */
  readonly target: string;
}

/** What a look at a folder found in it. */
export interface FoundData {
  readonly databases: readonly FoundDatabase[];
  /** Every folder that was seen, also those that were not looked into. */
  readonly folders: ReadonlySet<string>;
  /** Those of them that are disposable by their names. */
  readonly disposable: readonly string[];
  readonly links: readonly FoundLink[];
  /** Of the files that were asked for, those that are there. */
  readonly files: ReadonlySet<string>;
}

/** Folders of these names hold what is made again: not looked into, and left out of a source around them. */
const disposableNames = new Set(
  ['cache', 'caches', '.cache', 'tmp', '.tmp', 'temp', 'node_modules', '__pycache__', 'lost+found'].map(folded),
);

/** Databases below these are copies, code or logs: they are not looked into, but belong to a source around them. */
const unsearchedNames = new Set(
  ['.git', '.hg', '.svn', 'vendor', 'venv', '.venv', 'backup', 'backups', 'log', 'logs', '.npm', '.cargo'].map(folded),
);

/** What a folder's name says of it. */
export function folderKind(name: string): 'disposable' | 'unsearched' | 'plain' {
  if (disposableNames.has(folded(name))) return 'disposable';
  return unsearchedNames.has(folded(name)) ? 'unsearched' : 'plain';
}

/** Names that some file systems take for one. */
export function folded(name: string): string {
  return name.normalize('NFC').toLowerCase();
}
