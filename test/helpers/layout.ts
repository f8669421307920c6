import Database from 'better-sqlite3';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A file of an application's layout, as a document or a test names it. */
export interface LayoutFile {
  readonly path: string;
  readonly sqlite: boolean;
}

/** A real database with a row in it; `wal`: its header says so. */
export function makeDatabase(file: string, { wal = true } = {}): void {
  mkdirSync(dirname(file), { recursive: true });
  const db = new Database(file);
  if (wal) db.pragma('journal_mode = WAL');
  db.exec("CREATE TABLE page (title TEXT); INSERT INTO page VALUES ('one')");
  db.close();
}

/** Makes the files below a root: real databases, and files that hold their own names. */
export function makeLayout(root: string, files: readonly LayoutFile[]): void {
  for (const { path, sqlite } of files) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    if (sqlite) makeDatabase(file);
    else writeFileSync(file, path);
  }
}

/** An application that has a database open for the length of a test. */
export function holdDatabase(file: string): { readonly commit: () => void } {
  const db = new Database(file);
  onTestFinished(() => void db.close());
  return { commit: () => void db.prepare("INSERT INTO page VALUES ('more')").run() };
}
