import { join } from 'node:path';
import type { FileStat } from '../fs/file-stat.js';
import { finding, type Finding } from '../manifest/findings.js';
import type { ManifestDatabase } from '../manifest/manifest.js';
import type { SqliteChild } from '../sqlite/client.js';
import type { CopiedDatabase, DatabaseSnapshot } from '../sqlite/protocol.js';

/** A database to be copied: a source of its own, or live inside a folder source. */
export interface DatabaseToCopy {
  readonly source: string;
  /** Its path in the archive. */
  readonly entryPath: string;
  readonly absolute: string;
  /** Of the live file: mode, owner and time of the entry. */
  readonly stat: FileStat;
  /** It lies inside a folder source: see `DatabaseRequest` of `sqlite/protocol.ts`. */
  readonly found?: boolean;
}

/** What there is to archive of one database. */
export interface DatabaseCopy {
  readonly database: DatabaseToCopy;
  /** Copies in the private folder; more than one only of a damaged database, whose sidecars are kept. */
  readonly files: readonly { readonly entryPath: string; readonly path: string }[];
  readonly facts: ManifestDatabase | undefined;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  readonly findings: readonly Finding[];
}

export interface CopyOptions {
  readonly staging: string;
  readonly maxPause: number | 'none';
  readonly onProgress: (bytes: number) => void;
  /** The child holds them exclusively already. */
  readonly locked: boolean;
}

/** Copies databases through the child process: all that are given together show one and the same instant. */
export class DatabaseCopier {
  readonly #child: SqliteChild;
  readonly #options: CopyOptions;
  #group = 1;
  #files = 0;

  constructor(child: SqliteChild, options: CopyOptions) {
    this.#child = child;
    this.#options = options;
  }

  async copy(databases: readonly DatabaseToCopy[]): Promise<readonly DatabaseCopy[]> {
    if (databases.length === 0) return [];
    const requests = databases.map(({ entryPath, absolute, found = false }) => ({
      name: entryPath,
      path: absolute,
      destination: join(this.#options.staging, `database-${this.#files++}`),
      found,
    }));
    const { maxPause, onProgress, locked } = this.#options;
    const group = this.#group;
    const result = locked
      ? await this.#child.snapshotLocked({ databases: requests, group }, onProgress)
      : await this.#child.snapshot({ databases: requests, maxPause, group }, onProgress);
    return databases.map((database, index) => {
      const snapshot = result.databases[index];
      const destination = requests[index]?.destination;
      if (snapshot === undefined || destination === undefined) throw new Error(`no answer for ${database.entryPath}`);
      if (snapshot.kind === 'copied') this.#group = Math.max(this.#group, snapshot.snapshotGroup + 1);
      return databaseCopy(database, snapshot, destination);
    });
  }
}

function databaseCopy(database: DatabaseToCopy, snapshot: DatabaseSnapshot, destination: string): DatabaseCopy {
  const { entryPath } = database;
  const about = { source: database.source, path: entryPath };
  const base = { database, files: [], facts: undefined, startedAt: undefined, finishedAt: undefined };
  switch (snapshot.kind) {
    case 'copied': {
      const { startedAt, finishedAt } = snapshot;
      const findings = snapshot.notes.map(({ id, message }) => finding(id, message, about));
      const files = [{ entryPath, path: destination }];
      return { database, files, facts: factsOf(snapshot), startedAt, finishedAt, findings };
    }
    case 'raw': {
      const files = snapshot.files.map(({ suffix, path }) => ({ entryPath: `${entryPath}${suffix}`, path }));
      return { ...base, files, findings: [finding('database-damaged-raw', snapshot.reason, about)] };
    }
    case 'missing':
      return { ...base, findings: [finding('source-missing', snapshot.reason, about)] };
    case 'unreadable':
      return { ...base, findings: [finding('file-unreadable', snapshot.reason, about)] };
  }
}

function factsOf(copied: CopiedDatabase): ManifestDatabase {
  const { pageSize, pageCount, journalMode, userVersion, applicationId, schemaHash, integrity, snapshotGroup } = copied;
  return { pageSize, pageCount, journalMode, userVersion, applicationId, schemaHash, integrity, snapshotGroup };
}
