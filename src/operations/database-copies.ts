import { join } from 'node:path';
import { Settling } from '../base/settling.js';
import type { FileStat } from '../fs/file-stat.js';
import { finding, type Finding } from '../manifest/findings.js';
import type { ManifestDatabase } from '../manifest/manifest.js';
import type { SnapshotNews, SqliteChild } from '../sqlite/client.js';
import type { CopiedDatabase, DatabaseRequest, DatabaseSnapshot } from '../sqlite/protocol.js';

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

/** One database, copied. */
export interface DatabaseCopy {
  readonly database: DatabaseToCopy;
  /** Where a copy lies that is still being checked: what is read of it counts only if `outcome` has this file and no other. */
  readonly unproven: string | undefined;
  /** Resolves when it is checked. Rejects where no archive can be made. */
  readonly outcome: Promise<CopyOutcome>;
}

/** What there is to archive of one database. */
export interface CopyOutcome {
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
  /** Groups are numbered one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(child: SqliteChild, options: CopyOptions) {
    this.#child = child;
    this.#options = options;
  }

  /** Resolves when all are copied; their checks may go on. Rejects where no archive can be made. */
  async copy(databases: readonly DatabaseToCopy[]): Promise<readonly DatabaseCopy[]> {
    if (databases.length === 0) return [];
    await this.#last;
    const requests = databases.map(({ entryPath, absolute, found = false }) => ({
      name: entryPath,
      path: absolute,
      destination: join(this.#options.staging, `database-${this.#files++}`),
      found,
    }));
    const unproven = new Set<number>();
    const copied = new Settling<void>();
    const checked = requests.map(() => new Settling<DatabaseSnapshot>());
    const all = this.#snapshot(requests, {
      onProgress: this.#options.onProgress,
      onCopies: (indexes) => {
        for (const index of indexes) unproven.add(index);
        copied.resolve();
      },
      onChecked: (index, snapshot) => checked[index]?.resolve(snapshot),
    });
    this.#last = all;
    all.catch((error: unknown) => checked.forEach((one) => one.reject(error)));
    // Rejects where they cannot be copied; later failures are those of the outcomes.
    await Promise.race([copied.promise, all]);
    return databases.map((database, index) => {
      const request = requests[index];
      const check = checked[index];
      if (request === undefined || check === undefined) throw new Error(`was not asked for: ${database.entryPath}`);
      const outcome = check.promise.then((snapshot) => outcomeOf(database, snapshot, request));
      outcome.catch(() => undefined);
      return { database, unproven: unproven.has(index) ? request.destination : undefined, outcome };
    });
  }

  async #snapshot(databases: readonly DatabaseRequest[], news: SnapshotNews): Promise<void> {
    const { maxPause, locked } = this.#options;
    const group = this.#group;
    const result = locked
      ? await this.#child.snapshotLocked({ databases, group }, news)
      : await this.#child.snapshot({ databases, maxPause, group }, news);
    const groups = result.databases.map((one) => (one.kind === 'copied' ? one.snapshotGroup + 1 : 0));
    this.#group = Math.max(this.#group, ...groups);
  }
}

function outcomeOf(
  database: DatabaseToCopy,
  snapshot: DatabaseSnapshot,
  { destination }: DatabaseRequest,
): CopyOutcome {
  const { entryPath } = database;
  const about = { source: database.source, path: entryPath };
  const base = { files: [], facts: undefined, startedAt: undefined, finishedAt: undefined };
  switch (snapshot.kind) {
    case 'copied': {
      const { startedAt, finishedAt } = snapshot;
      const findings = snapshot.notes.map(({ id, message }) => finding(id, message, about));
      const files = [{ entryPath, path: destination }];
      return { files, facts: factsOf(snapshot), startedAt, finishedAt, findings };
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
