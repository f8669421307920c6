import { accessSync, constants } from 'node:fs';
import { systemCode } from '../base/errors.js';
import { openLive, pragmaNumber, type Connection } from './connection.js';
import type { DatabaseFile } from './database-file.js';
import { describeFault, sqliteFault } from './fault.js';
import type { FileId, HeldFiles } from './held-files.js';
import { sidecarFault } from './super-journal.js';

/** Milliseconds one lock is waited for while others are held: waiting longer makes the application fail. */
const lockTimeout = 50;

export type LiveFile = DatabaseFile & { readonly kind: 'database' };

/** A read transaction that shows one instant until it is closed. */
export interface Pinned {
  readonly connection: Connection;
  /** Pinned while the locks of the whole group were held; otherwise at an instant of its own. */
  readonly together: boolean;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly journalMode: 'wal' | 'delete';
  readonly pageSize: number;
  readonly pageCount: number;
}

/** Why SQLite could not give a pin: damage has no way around, a lack of permission or a lock that is never free has one. */
export interface PinFailure {
  readonly fault: 'no-access' | 'locked' | 'damaged';
  readonly reason: string;
}

/** One database of a group: the connection that locks, and the one that is pinned while the locks are held. */
export class GroupMember {
  readonly file: LiveFile;
  /** Whether the group may do without it. */
  readonly optional: boolean;
  failure: PinFailure | undefined;
  readonly #held: HeldFiles;
  #lock: Connection | undefined;
  #pin: Connection | undefined;
  #together = false;
  #pinned: Pinned | undefined;

  constructor(file: LiveFile, held: HeldFiles, optional = false) {
    this.file = file;
    this.optional = optional;
    this.#held = held;
  }

  /** False where another connection is in the way. `locked`: files this group holds already (two paths to one file). */
  lock(locked: Set<FileId>): boolean {
    // Again, as near to the moment as can be: SQLite acts on what lies there with the first lock.
    if (sidecarFault(this.file.path, this.file.names) !== undefined) return false;
    return this.#attempt(() => {
      this.#lock ??= openLive(this.file.path, this.file.id, this.#held, lockTimeout);
      this.#pin ??= openLive(this.file.path, this.file.id, this.#held, 0);
      this.#together = locked.has(this.file.id);
      if (this.#together || !isWritable(this.file.path)) return;
      this.#lock.db.exec('BEGIN IMMEDIATE');
      this.#together = locksOut(this.#pin);
      if (this.#together) locked.add(this.file.id);
    });
  }

  /** Begins the read transaction; false where another connection is in the way. */
  pin(now: number): boolean {
    return this.#attempt(() => {
      const connection = this.#pin;
      if (connection === undefined) throw new Error('pinned before it was locked');
      const { db } = connection;
      db.exec('BEGIN');
      // A transaction begins with its first read, not with BEGIN.
      db.prepare('SELECT count(*) FROM sqlite_schema').get();
      this.#pinned = {
        connection,
        together: this.#together,
        startedAt: now,
        journalMode: db.pragma('journal_mode', { simple: true }) === 'wal' ? 'wal' : 'delete',
        pageSize: pragmaNumber(db, 'page_size'),
        pageCount: pragmaNumber(db, 'page_count'),
      };
    });
  }

  /** Lets writers go on; the pin stays. */
  unlock(): void {
    this.#lock?.close();
    this.#lock = undefined;
  }

  /** Ends both transactions and keeps the connections for the next attempt. */
  release(): void {
    this.#pinned = undefined;
    for (const connection of [this.#lock, this.#pin]) {
      if (connection?.db.inTransaction === true) connection.db.exec('ROLLBACK');
    }
  }

  close(): void {
    this.#pinned = undefined;
    this.unlock();
    this.#pin?.close();
    this.#pin = undefined;
  }

  /** The group goes on without it. */
  giveUp(): void {
    this.close();
    this.failure = { fault: 'locked', reason: `${this.file.path} stayed locked by another program` };
  }

  get pinned(): Pinned | undefined {
    return this.#pinned;
  }

  /** Runs a step; what makes this database impossible to pin is kept as its failure, and the group goes on without it. */
  #attempt(step: () => void): boolean {
    try {
      step();
      return true;
    } catch (error) {
      const fault = sqliteFault(error);
      if (fault === 'busy') return false;
      if (fault === undefined || fault === 'full') throw error;
      this.close();
      this.failure = { fault: fault === 'no-access' ? 'no-access' : 'damaged', reason: describeFault(error) };
      return true;
    }
  }
}

/** `BEGIN IMMEDIATE` succeeds on a database that is open for reading alone, and then locks nothing (measured). */
function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

/** Whether the lock just taken keeps out another connection, as a real one does. */
function locksOut(other: Connection): boolean {
  try {
    other.db.exec('BEGIN IMMEDIATE');
  } catch (error) {
    if (sqliteFault(error) === 'busy') return true;
    throw error;
  }
  other.db.exec('ROLLBACK');
  return false;
}
