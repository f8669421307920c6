import type { EntryHeader } from '../archive/archive.js';
import type { Cleanup } from '../base/cleanup.js';
import { hasDamage, type Finding } from '../manifest/findings.js';
import type { SqliteChild } from '../sqlite/client.js';
import { checkDatabase } from './check-databases.js';
import { openSqlite, type Deps } from './deps.js';
import { damaged } from './plan-restore.js';

/** A database that was written, and is at no place yet. */
export interface StagedDatabase {
  readonly header: EntryHeader;
  readonly file: string;
}

/** Asks SQLite about each restored database before anything is at its place, while what comes after it is written. */
export class StagedChecks {
  readonly #location: string;
  readonly #deps: Deps;
  readonly #cleanup: Cleanup;
  readonly #databases: StagedDatabase[] = [];
  readonly #findings: Finding[] = [];
  #child: SqliteChild | undefined;
  #last: Promise<void> = Promise.resolve();

  /** `location`: of the archive. */
  constructor(location: string, deps: Deps, cleanup: Cleanup) {
    this.#location = location;
    this.#deps = deps;
    this.#cleanup = cleanup;
  }

  get databases(): readonly StagedDatabase[] {
    return this.#databases;
  }

  /** It lies there, whole, and stays as it is. */
  add(database: StagedDatabase): void {
    this.#databases.push(database);
    this.#child ??= openSqlite(this.#deps, this.#cleanup);
    const child = this.#child;
    this.#last = this.#last.then(async () => {
      this.#findings.push(...(await checkDatabase(child, database.file, database.header)));
    });
    // It is told by `finish`; until then, or where something else fails first, it must not count as unhandled.
    this.#last.catch(() => undefined);
  }

  /** Waits for all of them; nobody has one open afterwards. Throws `archive-damaged` where one is damaged. */
  async finish(): Promise<Finding[]> {
    if (this.#child === undefined) return [];
    this.#deps.progress.start('check');
    await this.#last;
    if (hasDamage(this.#findings)) throw damaged(this.#location, this.#findings);
    return this.#findings;
  }
}
