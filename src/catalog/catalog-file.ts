import type Database from 'better-sqlite3';
import { closeSync, existsSync, lstatSync, openSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { timestamp, type Clock } from '../base/clock.js';
import { errorText, systemCode } from '../base/errors.js';
import { isSameFile, type FileIdentity } from '../fs/file-stat.js';
import { catalogState, catalogVersion, makeCatalog } from './catalog-schema.js';

export const catalogName = 'catalog.db';

/** Milliseconds another process's transaction is waited for: ours take a few. */
const busyTimeout = 1000;

/** What SQLite may have put beside it; it has to go where the database goes. */
const sidecars = ['-journal', '-wal', '-shm'] as const;

type Purpose = 'read' | 'write';

/** `nothing`: there is no catalogue to read, or no storage to write one into. */
export type Outcome<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'nothing' | 'failed' };

/**
 * The file of the catalogue, opened when it is first needed: made by the first one who writes, never by one who only reads. No
 * method throws. Rollback journal, for the storage may lie on a network file system. Never opened through `fs` while a
 * connection is open: closing it there would drop SQLite's locks.
 */
export class CatalogFile {
  readonly path: string;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #open: OpenDatabase;
  #connection: { readonly db: Database.Database; readonly identity: FileIdentity } | undefined;
  /** Of the file that was looked at last. */
  #identity: FileIdentity | undefined;
  #warning: string | undefined;

  constructor(folder: string, clock: Clock, open: OpenDatabase) {
    this.path = join(folder, catalogName);
    this.#folder = folder;
    this.#clock = clock;
    this.#open = open;
  }

  /** The first thing that went wrong. */
  get warning(): string | undefined {
    return this.#warning;
  }

  /** What went wrong becomes the warning, unless the caller will try again (`quietly`). `work` may be done twice. */
  use<T>(purpose: Purpose, work: (db: Database.Database) => T, quietly = false): Outcome<T> {
    for (let isRetry = false; ; isRetry = true) {
      try {
        const db = this.#connect(purpose);
        return db === undefined ? { kind: 'nothing' } : { kind: 'done', value: work(db) };
      } catch (error) {
        this.close();
        if (!isRetry && this.#isMended(error, purpose)) continue;
        if (!quietly) this.#warn(whyNot(error, purpose));
        return { kind: 'failed' };
      }
    }
  }

  close(): void {
    const { db } = this.#connection ?? {};
    this.#connection = undefined;
    try {
      db?.close();
    } catch (error) {
      this.#warn(`could not be closed: ${errorText(error)}`);
    }
  }

  /** Undefined where there is nothing to read, or no storage yet to write into. */
  #connect(purpose: Purpose): Database.Database | undefined {
    const lying = lstatSync(this.path, { bigint: true, throwIfNoEntry: false });
    if (this.#connection !== undefined) {
      if (lying !== undefined && isSameFile(lying, this.#connection.identity)) return this.#connection.db;
      this.close();
    }
    if (lying === undefined) {
      if (purpose === 'read' || !existsSync(this.#folder)) return undefined;
      makeFile(this.path);
    }
    const identity = lying ?? lstatSync(this.path, { bigint: true });
    this.#identity = identity;
    if (!identity.isFile()) throw new UnusableCatalog('is not a regular file', 'left-alone');
    const db = this.#open(this.path, { fileMustExist: true, timeout: busyTimeout });
    this.#connection = { db, identity };
    if (isUsable(db, purpose)) return db;
    this.close();
    return undefined;
  }

  /** Whether another attempt may succeed, after what stood in the way was moved out of it. */
  #isMended(error: unknown, purpose: Purpose): boolean {
    const code = systemCode(error) ?? '';
    // Removed, replaced, or changed by others while it was open: what lies there now is looked at anew.
    if (code === 'SQLITE_READONLY_DBMOVED' || code === 'SQLITE_ERROR' || code === 'EEXIST') return true;
    const isDamaged = error instanceof UnusableCatalog ? error.kind === 'damaged' : damageCodes.test(code);
    return isDamaged && purpose === 'write' && this.#setAside(errorText(error));
  }

  /** Moves a damaged one out of the way with all that belongs to it. Nothing is removed. */
  #setAside(reason: string): boolean {
    try {
      // Another process was faster.
      if (!this.#isStillThere()) return true;
      const time = timestamp(this.#clock.now()).replace(/[-:]/g, '');
      const aside = freeName(`${this.path}.damaged-${time}`);
      // Its sidecars first: one that stayed would be played back into the new one.
      for (const suffix of [...sidecars, '']) {
        if (existsSync(`${this.path}${suffix}`)) renameSync(`${this.path}${suffix}`, `${aside}${suffix}`);
      }
      this.#warn(`was damaged (${reason}): it is kept as ${aside}, and a new one was begun`);
      return true;
    } catch (error) {
      this.#warn(`is damaged (${reason}), and cannot be moved aside: ${errorText(error)}`);
      return false;
    }
  }

  #isStillThere(): boolean {
    const lying = lstatSync(this.path, { bigint: true, throwIfNoEntry: false });
    return lying !== undefined && this.#identity !== undefined && isSameFile(lying, this.#identity);
  }

  #warn(what: string): void {
    this.#warning ??= `the history of runs in ${this.path} ${what}`;
  }
}

/** better-sqlite3's constructor as a function. */
export type OpenDatabase = (path: string, options: Database.Options) => Database.Database;

const damageCodes = /^SQLITE_(CORRUPT|NOTADB)/;
const newer = `was written by a newer version of bkp than this one, which knows version ${catalogVersion} of it: it is left as it is`;

class UnusableCatalog extends Error {
  readonly kind: 'damaged' | 'left-alone';

  constructor(message: string, kind: 'damaged' | 'left-alone') {
    super(message);
    this.kind = kind;
  }
}

/** Makes the tables where there are none and somebody writes. Throws where it is not to be used. */
function isUsable(db: Database.Database, purpose: Purpose): boolean {
  db.pragma('trusted_schema = OFF');
  switch (catalogState(db)) {
    case 'current':
      return true;
    case 'empty':
      if (purpose === 'write') makeCatalog(db);
      return purpose === 'write';
    case 'newer':
      throw new UnusableCatalog(newer, 'left-alone');
    case 'foreign':
      throw new UnusableCatalog('is not a catalogue that bkp has made', 'damaged');
  }
}

/** For its owner alone; SQLite gives its journal the same mode. */
function makeFile(path: string): void {
  closeSync(openSync(path, 'wx', 0o600));
}

function freeName(wanted: string): string {
  for (let n = 1; ; n++) {
    const name = n === 1 ? wanted : `${wanted}-${n}`;
    if (![...sidecars, ''].some((suffix) => existsSync(`${name}${suffix}`))) return name;
  }
}

function whyNot(error: unknown, purpose: Purpose): string {
  if (error instanceof UnusableCatalog) return error.message;
  const what = purpose === 'read' ? 'read' : 'written';
  const code = systemCode(error);
  const reason = code?.startsWith('SQLITE_') === true ? `${errorText(error)} (${code})` : errorText(error);
  return `cannot be ${what}: ${reason}`;
}
