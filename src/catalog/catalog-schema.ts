import type { Database } from 'better-sqlite3';

/** `user_version` of what this version writes and reads. */
export const catalogVersion = 1;

/** Exactly as SQLite keeps them in its schema. Times are milliseconds since 1970. */
const statements = [
  `CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  instance TEXT,
  schedule TEXT,
  slot INTEGER,
  backup TEXT,
  removed_at INTEGER,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  result TEXT,
  exit_code INTEGER,
  bytes INTEGER,
  files INTEGER,
  error_id TEXT,
  error_message TEXT,
  steps INTEGER NOT NULL DEFAULT 0,
  findings INTEGER NOT NULL DEFAULT 0,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  boot TEXT NOT NULL,
  namespace TEXT NOT NULL,
  began TEXT NOT NULL
) STRICT`,
  'CREATE INDEX run_by_schedule ON run (instance, schedule, id)',
  'CREATE INDEX run_unfinished ON run (id) WHERE result IS NULL',
  `CREATE TABLE step (
  run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  at INTEGER NOT NULL,
  id TEXT NOT NULL,
  message TEXT NOT NULL,
  duration INTEGER NOT NULL
) STRICT`,
  'CREATE INDEX step_by_run ON step (run)',
  `CREATE TABLE finding (
  run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  source TEXT,
  path TEXT,
  message TEXT NOT NULL
) STRICT`,
  'CREATE INDEX finding_by_run ON finding (run)',
  // Whatever else is derived from an archive gets its columns here.
  `CREATE TABLE archive (
  name TEXT PRIMARY KEY,
  sha256 TEXT,
  verified_at INTEGER,
  verdict TEXT
) STRICT, WITHOUT ROWID`,
] as const;

/** What a file is that was opened as a catalogue. `foreign`: a database, but not one that we made. */
export type CatalogState = 'empty' | 'current' | 'newer' | 'foreign';

export function catalogState(db: Database): CatalogState {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version > catalogVersion) return 'newer';
  const found = db
    .prepare<[], string>(
      "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )
    .pluck()
    .all();
  if (version === 0 && found.length === 0) return 'empty';
  // A view in the place of a table could take forever, a trigger do anything.
  const isOurs = found.length === statements.length && statements.every((sql) => found.includes(sql));
  return version === catalogVersion && isOurs ? 'current' : 'foreign';
}

/** Makes the tables, unless another process was faster. */
export function makeCatalog(db: Database): void {
  db.transaction(() => {
    if (catalogState(db) !== 'empty') return;
    for (const sql of statements) db.exec(sql);
    db.pragma(`user_version = ${catalogVersion}`);
  }).immediate();
}
