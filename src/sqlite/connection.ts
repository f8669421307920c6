import { pathToFileURL } from 'node:url';
import Database from 'better-sqlite3';
import type { FileId, HeldFiles } from './held-files.js';

/** A connection that keeps its file on the list of held ones while it is open. */
export interface Connection {
  readonly db: Database.Database;
  /** Ends an open transaction too. May be called again. */
  close(): void;
}

/**
 * Opens a database that others may be using. Never creates it. Read and write, for its locks; SQLite itself falls back to
 * reading where writing is not permitted (`readonly`: for reading alone). Paths go through a URI: better-sqlite3 would trim spaces off a plain one.
 */
export function openLive(
  path: string,
  id: FileId,
  held: HeldFiles,
  busyTimeout: number,
  { readonly }: { readonly readonly: boolean } = { readonly: false },
): Connection {
  const db = new Database(pathToFileURL(path).href, { fileMustExist: true, timeout: busyTimeout, readonly });
  held.hold(id);
  return {
    db,
    close() {
      if (!db.open) return;
      db.close();
      held.release(id);
    },
  };
}

/**
 * Opens a database file that nobody else uses and that will not change. `immutable` takes no locks, and leaves no `-wal` or
 * `-shm` beside a copy whose header says WAL (measured: a plain read-only connection does). Needs SQLITE_USE_URI=1.
 */
export function openImmutable(path: string): Database.Database {
  return new Database(`${pathToFileURL(path).href}?immutable=1`, { readonly: true, fileMustExist: true });
}

/** A pragma's single number. */
export function pragmaNumber(db: Database.Database, name: string): number {
  const value = db.pragma(name, { simple: true });
  if (typeof value !== 'number') throw new TypeError(`pragma ${name} gave no number`);
  return value;
}
