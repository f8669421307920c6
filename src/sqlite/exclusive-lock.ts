import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { BkpError, ioError, systemCode } from '../base/errors.js';
import { openLive, pragmaNumber, type Connection } from './connection.js';
import { describeFault, sqliteFault } from './fault.js';
import type { FileId, HeldFiles } from './held-files.js';
import type { LiveFile, Pinned } from './member.js';
import { removeIfThere, removeSpentSidecars, sidecarsOf, type SidecarSuffix } from './sidecars.js';
import { sidecarFault } from './super-journal.js';

/**
 * One database, kept from all others by a connection in exclusive locking mode until that is closed. Such a connection has its
 * WAL index in memory and never makes a `-shm`.
 *
 * Closing it before `settle` would bring a leftover `-wal` in and delete it; after a `settle` that found no fault, closing it
 * touches nothing by name, neither where its file lies at its path nor where that was renamed or replaced.
 */
export class ExclusiveLock {
  readonly path: string;
  readonly id: FileId;
  readonly #names: ReadonlySet<string>;
  readonly #held: HeldFiles;
  readonly #isEmpty: boolean;
  readonly #before: ReadonlySet<SidecarSuffix>;
  readonly #connection: Connection;
  #fault: string | undefined;
  /** Others are kept out: what is beside the file is ours alone. */
  #isHeld = false;

  constructor({ path, id, size, names }: LiveFile, held: HeldFiles) {
    this.path = path;
    this.id = id;
    this.#names = names;
    this.#held = held;
    this.#isEmpty = size === 0;
    this.#before = new Set(sidecarsOf(path).map(({ suffix }) => suffix));
    requireLockable(path);
    this.#connection = this.#open();
  }

  /** Why SQLite cannot read the database. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /**
   * Takes the lock without waiting. A hot journal is rolled back, as by any reader; nothing else is written to the database. A
   * broken one that cannot be locked is closed again. Throws where the file system gives no locks, or no space.
   */
  acquire(): 'locked' | 'busy' | 'broken' {
    const { db } = this.#connection;
    // Again: whoever put that there since the first look is at work on it.
    if (sidecarFault(this.path, this.#names) !== undefined) return 'busy';
    try {
      db.pragma('locking_mode = EXCLUSIVE');
      // Committing would write the first page of an empty database, and a journal on the disk would stay (measured).
      if (this.#isEmpty) db.pragma('journal_mode = MEMORY');
      // Beside an idle WAL connection a plain BEGIN EXCLUSIVE would succeed.
      db.exec('BEGIN EXCLUSIVE; ROLLBACK');
    } catch (error) {
      const fault = sqliteFault(error);
      if (fault === 'busy') return 'busy';
      if (fault === undefined || fault === 'full') throw ioError('locking', this.path, error);
      this.#fault = describeFault(error);
    }
    this.#isHeld = this.#keepsOthersOut();
    if (this.#isHeld) return this.#fault === undefined ? 'locked' : 'broken';
    if (this.#fault === undefined) throw notLockable(this.path);
    this.close();
    return 'broken';
  }

  /**
   * Brings the `-wal` in and lets go of the journal, then removes the sidecars that hold nothing any more: nobody else can make
   * new ones. A fault found here leaves all as it is.
   */
  settle(): void {
    if (!this.#isHeld) return;
    if (this.#fault === undefined) this.#fault = this.#checkpoint();
    if (this.#fault === undefined) removeSpentSidecars(this.path);
    else this.undoSidecars();
  }

  /** Removes the empty `-wal` that locking made, where there was none. */
  undoSidecars(): void {
    if (!this.#isHeld) return;
    for (const { suffix, path, bytes } of sidecarsOf(this.path)) {
      if (suffix === '-wal' && bytes === 0 && !this.#before.has(suffix)) removeIfThere(path);
    }
  }

  /** What a copy needs of the connection: the instant is any, since nothing changes. */
  pinned(now: number): Pinned {
    const { db } = this.#connection;
    return {
      connection: this.#connection,
      together: true,
      startedAt: now,
      journalMode: isWal(this.#connection) ? 'wal' : 'delete',
      pageSize: pragmaNumber(db, 'page_size'),
      pageCount: pragmaNumber(db, 'page_count'),
    };
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  close(): void {
    this.#isHeld = false;
    this.#connection.close();
  }

  #checkpoint(): string | undefined {
    const { db } = this.#connection;
    try {
      db.prepare('SELECT count(*) FROM sqlite_schema').get();
      if (!isWal(this.#connection)) {
        // Closes the journal of a rollback, which would else be deleted by name when the connection is closed (measured).
        db.pragma('journal_mode = MEMORY');
        return undefined;
      }
      const busy = db.pragma('wal_checkpoint(TRUNCATE)', { simple: true });
      return busy === 0 ? undefined : 'its -wal could not be brought in';
    } catch (error) {
      const fault = sqliteFault(error);
      if (fault === undefined || fault === 'full') throw ioError('bringing the -wal in of', this.path, error);
      return describeFault(error);
    }
  }

  #open(): Connection {
    try {
      return openLive(this.path, this.id, this.#held, 0);
    } catch (error) {
      throw ioError('opening', this.path, error);
    }
  }

  /** Whether another connection, even of this process, cannot read. A file open for reading alone locks nothing (measured). */
  #keepsOthersOut(): boolean {
    const other = this.#open();
    try {
      other.db.prepare('SELECT count(*) FROM sqlite_schema').get();
      return false;
    } catch (error) {
      if (sqliteFault(error) === undefined) throw error;
      return sqliteFault(error) === 'busy';
    } finally {
      other.close();
    }
  }
}

/** Throws `target-unwritable` where the permissions do not allow a database to be locked. */
export function requireLockable(path: string): void {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    throw notLockable(path, error);
  }
}

function isWal({ db }: Connection): boolean {
  return db.pragma('journal_mode', { simple: true }) === 'wal';
}

function notLockable(path: string, cause?: unknown): BkpError {
  return new BkpError(
    'target-unwritable',
    `${path} cannot be locked: that needs permission to read and write it, and to write its folder`,
    {
      cause,
      path,
      hint: 'Run as the user the application runs as, or as root.',
    },
  );
}
