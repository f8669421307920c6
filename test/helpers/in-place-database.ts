import Database from 'better-sqlite3';

/** Makes a database, or changes it, so that one row tells which state it is. */
export function rewrite(path: string, text: string, mode: 'wal' | 'delete' = 'wal'): void {
  const db = new Database(path);
  db.pragma(`journal_mode = ${mode}`);
  db.exec('CREATE TABLE IF NOT EXISTS state (text TEXT); DELETE FROM state');
  db.prepare('INSERT INTO state VALUES (?)').run(text);
  db.close();
}

export function rowOf(path: string): unknown {
  const db = new Database(path, { fileMustExist: true });
  try {
    return db.prepare('SELECT text FROM state').pluck().get();
  } finally {
    db.close();
  }
}
