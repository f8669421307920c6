import type { ErrorId } from '../base/error-table.js';
import type { ScheduleChange, ScheduleColumn, UntypedRow } from '../base/schedule-row.js';

/** One live database of a group, and where its copy goes: a path in a private folder where nothing lies yet. */
export interface DatabaseRequest {
  /** The source's name, for messages. */
  readonly name: string;
  /** Absolute; a symbolic link is resolved once. */
  readonly path: string;
  /** Absolute. Raw copies put `-wal` and `-journal` behind it; `<destination>.source*` is used in between. */
  readonly destination: string;
  /**
   * It was found inside a folder, as opposed to named by a person: where nobody has it open, nothing beside it is touched; it
   * does not count for `maxPause`, and its locks refuse no backup.
   */
  readonly found?: boolean;
}

export interface SnapshotRequest {
  readonly databases: readonly DatabaseRequest[];
  /** Milliseconds that writers of rollback-journal databases may be made to wait, as estimated; `none` asks for no estimate. */
  readonly maxPause: number | 'none';
  /** Milliseconds until the locks of all databases must have been had at once. Default 30 000. */
  readonly lockDeadline?: number;
  /**
   * The number of the databases copied at one instant. Those that could only be copied each for itself get the numbers
   * after it, so the next request's number is above the highest of the result.
   */
  readonly group: number;
}

export type SqliteNoteId = 'database-constraint' | 'integrity-unchecked' | 'wal-mode-switch' | 'not-one-instant';

export interface SqliteNote {
  readonly id: SqliteNoteId;
  readonly message: string;
}

/** What the manifest says of a copied database. */
export interface DatabaseFacts {
  readonly userVersion: number;
  readonly applicationId: number;
  /** `sha256:` and hexadecimal: see `facts.ts` for the bytes. */
  readonly schemaHash: string;
}

export interface CopiedDatabase extends DatabaseFacts {
  readonly kind: 'copied';
  readonly name: string;
  readonly pageSize: number;
  /** 0 for an empty database, whose file has no bytes. */
  readonly pageCount: number;
  /** Of the source. `delete` stands for every rollback journal: SQLite does not store which kind. The copy's header says the same. */
  readonly journalMode: 'wal' | 'delete';
  readonly integrity: 'ok' | 'unchecked';
  readonly integrityReason?: string;
  readonly bytes: number;
  readonly snapshotGroup: number;
  /** Milliseconds since 1970: the instant the copy shows, and when it was complete and synced. */
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly notes: readonly SqliteNote[];
}

export interface RawFile {
  readonly suffix: '' | '-wal' | '-journal';
  /** Where its copy lies. */
  readonly path: string;
  readonly bytes: number;
}

export type DatabaseSnapshot =
  | CopiedDatabase
  /** Damaged, or nothing SQLite can open: its files as they are. Nothing is proven of them but their bytes. */
  | { readonly kind: 'raw'; readonly name: string; readonly files: readonly RawFile[]; readonly reason: string }
  | { readonly kind: 'missing'; readonly name: string; readonly reason: string }
  | { readonly kind: 'unreadable'; readonly name: string; readonly reason: string };

export interface SnapshotResult {
  /** In the order of the request. */
  readonly databases: readonly DatabaseSnapshot[];
}

/** The integrity of a database file that nobody else uses. */
export type CheckResult =
  | { readonly kind: 'ok'; readonly notes: readonly SqliteNote[] }
  /** The first findings of SQLite, in its words. */
  | { readonly kind: 'damaged'; readonly messages: readonly string[] }
  /**
   * Something the check needs is not here (a collation, function or module), or it did not end in time; nothing that could be
   * checked is damaged.
   */
  | { readonly kind: 'unchecked'; readonly reason: string; readonly notes: readonly SqliteNote[] };

export interface NamedDatabase {
  /** For messages and results. */
  readonly name: string;
  /** Absolute. A symbolic link is resolved; sidecars are those beside what it points at. */
  readonly path: string;
}

export interface LockRequest {
  readonly databases: readonly NamedDatabase[];
}

/** `sidecars`: paths of the `-wal` and `-journal` that still hold something. They must never come to lie beside another file. */
export type LockedDatabase =
  /** Kept from all others; its `-wal` is in it, and nothing lies beside it. */
  | { readonly kind: 'locked'; readonly name: string; readonly sidecars: readonly string[] }
  | { readonly kind: 'absent'; readonly name: string; readonly sidecars: readonly string[] }
  /** Nothing SQLite can read. `locked`: it is kept from others all the same. */
  | {
      readonly kind: 'broken';
      readonly name: string;
      readonly sidecars: readonly string[];
      readonly reason: string;
      readonly locked: boolean;
    };

export interface LockResult {
  /** In the order of the request. */
  readonly databases: readonly LockedDatabase[];
  /** Of which processes the open files could be seen: without root, only of one's own; outside of Linux, of none. */
  readonly processes: 'all' | 'some' | 'none';
}

export interface LockedSnapshotRequest {
  /** Only what was given to `lockDatabases`. */
  readonly databases: readonly DatabaseRequest[];
  /** The number of all copies: they show one instant. */
  readonly group: number;
}

export interface SwappedDatabase {
  /** The live path, after the renames. */
  readonly path: string;
  /** What may lie beside it: nothing, or the sidecars restored with a database that is raw bytes (and not locked). */
  readonly sidecars: 'none' | 'restored';
}

export interface SwapRequest {
  readonly databases: readonly SwappedDatabase[];
  /**
   * Milliseconds that programs which opened an old file while it was locked are given to close it. Default 65 000: many wait
   * 60 s for a lock (the default of PHP's PDO).
   */
  readonly patience?: number;
}

export interface ReleaseRequest {
  /** Milliseconds, as in `SwapRequest`; default 65 000. Waits only where a file that others opened was moved away. */
  readonly patience?: number;
}

export interface ReleaseResult {
  /** Programs that still have open what is no longer at its path: they would mix it with what is there now. */
  readonly stillOpen: readonly FileUser[];
}

/** Another process that has a file open. */
export interface FileUser {
  /** The database the file belongs to. */
  readonly path: string;
  readonly pid: number;
  /** Its program and script; never further arguments, which may hold secrets. */
  readonly command: string;
}

interface ScheduleRequest {
  /** The database that holds the table. Absolute; a symbolic link is resolved. */
  readonly path: string;
  /** Other databases that the application writes in one transaction with it. */
  readonly group: readonly string[];
}

export interface ScheduleReadRequest extends ScheduleRequest {
  /** Open no live database: read a private copy. */
  readonly copy: boolean;
  /** A path in a private folder where nothing lies yet. */
  readonly scratch: string;
}

export interface ScheduleReadResult {
  readonly rows: readonly UntypedRow[];
  /** Columns that the table has not: they are `null` in every row. */
  readonly missing: readonly ScheduleColumn[];
}

export interface ScheduleChangeRequest extends ScheduleRequest {
  readonly change: ScheduleChange;
  /** RFC 3339. */
  readonly now: string;
}

export type Request =
  | { readonly kind: 'snapshot'; readonly id: number; readonly request: SnapshotRequest }
  | { readonly kind: 'check'; readonly id: number; readonly path: string }
  | { readonly kind: 'lock'; readonly id: number; readonly request: LockRequest }
  | { readonly kind: 'snapshot-locked'; readonly id: number; readonly request: LockedSnapshotRequest }
  | { readonly kind: 'lock-staged'; readonly id: number; readonly request: LockRequest }
  | { readonly kind: 'finish-swap'; readonly id: number; readonly request: SwapRequest }
  | { readonly kind: 'release'; readonly id: number; readonly request: ReleaseRequest }
  | { readonly kind: 'read-schedules'; readonly id: number; readonly request: ScheduleReadRequest }
  | { readonly kind: 'change-schedules'; readonly id: number; readonly request: ScheduleChangeRequest }
  | { readonly kind: 'close' };

/** An error on its way through the channel. */
export type WireError =
  | {
      readonly kind: 'expected';
      readonly id: ErrorId;
      readonly message: string;
      readonly hint?: string;
      readonly path?: string;
    }
  | { readonly kind: 'bug'; readonly message: string; readonly stack?: string };

export type Reply =
  | { readonly kind: 'progress'; readonly id: number; readonly bytes: number }
  | { readonly kind: 'copies-made'; readonly id: number; readonly indexes: readonly number[] }
  | { readonly kind: 'copy-checked'; readonly id: number; readonly index: number; readonly snapshot: DatabaseSnapshot }
  | { readonly kind: 'snapshot-taken'; readonly id: number; readonly result: SnapshotResult }
  | { readonly kind: 'checked'; readonly id: number; readonly result: CheckResult }
  | { readonly kind: 'locked'; readonly id: number; readonly result: LockResult }
  | { readonly kind: 'released'; readonly id: number; readonly result: ReleaseResult }
  | { readonly kind: 'schedules-read'; readonly id: number; readonly result: ScheduleReadResult }
  | { readonly kind: 'schedules-changed'; readonly id: number; readonly found: boolean }
  | { readonly kind: 'done'; readonly id: number }
  | { readonly kind: 'failed'; readonly id: number; readonly error: WireError };
