import { join } from 'node:path';
import { withCleanup } from '../base/cleanup.js';
import { timestamp } from '../base/clock.js';
import type { ScheduleChange, ScheduleValues, UntypedRow } from '../base/schedule-row.js';
import { SchedulesFile } from '../catalog/schedules-file.js';
import { lacksColumns } from '../sqlite/schedule-table.js';
import type { Storage } from '../storage/storage.js';
import { openSqlite, type Deps } from './deps.js';
import { openPrivateFolder } from './private-folder.js';
import type { Source } from './source.js';

/**
 * Where the schedules of an instance lie. Rows are as they were found: nobody has checked what they say. Every method rejects
 * with `schedules-unreadable`, `schedules-invalid` (a column is missing, a file is no JSON) or `database-in-use` where it cannot
 * tell, those that change with `schedules-unwritable`, `storage-unwritable` or `no-space` too.
 */
export interface ScheduleStore {
  /** For people: the database, or the file. */
  readonly location: string;
  /** Opens a live database for reading, and changes nothing in it. */
  read(): Promise<readonly UntypedRow[]>;
  /** The same from a private copy: opens no live database. For who only looks. */
  look(): Promise<readonly UntypedRow[]>;
  /** Makes a schedule, or replaces what one of that name says. */
  put(row: ScheduleValues): Promise<void>;
  /** False where there is none of that name. */
  remove(name: string): Promise<boolean>;
  setEnabled(name: string, enabled: boolean): Promise<boolean>;
}

/** The application's database that holds the table, by the CMS's convention. */
export const scheduleDatabase = 'system.brain';

export interface ScheduleStoreRequest {
  /** All sources of the configuration, turned on or not. */
  readonly configured: readonly Source[];
  readonly storage: Storage;
  readonly instance: string;
}

/** The table in the application's database where an instance has that, else a file in its storage. Opens nothing yet. */
export function openScheduleStore({ configured, storage, instance }: ScheduleStoreRequest, deps: Deps): ScheduleStore {
  const databases = configured.filter(({ type }) => type === 'sqlite');
  const own = databases.find(({ name }) => name === scheduleDatabase);
  if (own !== undefined) {
    const group = databases.map(({ path }) => path);
    return storeOf(own.path, new TableAccess(own.path, group, deps));
  }
  if (storage.folder === undefined) throw new Error('a storage without a folder keeps no schedules');
  const file = new SchedulesFile(storage.folder, instance, deps.clock);
  return storeOf(file.path, new FileAccess(file, storage, deps));
}

interface Access {
  read(how: 'open' | 'copy'): Promise<readonly UntypedRow[]>;
  change(change: ScheduleChange): Promise<boolean>;
}

function storeOf(location: string, access: Access): ScheduleStore {
  return {
    location,
    read: () => access.read('open'),
    look: () => access.read('copy'),
    put: async (row) => {
      await access.change({ kind: 'put', row });
    },
    remove: (name) => access.change({ kind: 'remove', name }),
    setEnabled: (name, enabled) => access.change({ kind: 'enable', name, enabled }),
  };
}

/** Each call has a process of its own: it may be killed while SQLite waits. */
class TableAccess implements Access {
  readonly #path: string;
  readonly #group: readonly string[];
  readonly #deps: Deps;

  constructor(path: string, group: readonly string[], deps: Deps) {
    this.#path = path;
    this.#group = group;
    this.#deps = deps;
  }

  read(how: 'open' | 'copy'): Promise<readonly UntypedRow[]> {
    const [path, group] = [this.#path, this.#group];
    return withCleanup(async (cleanup) => {
      const folder = await openPrivateFolder('bkp-schedules-', this.#deps, cleanup);
      const child = openSqlite(this.#deps, cleanup);
      const scratch = join(folder, 'copy');
      const { rows, missing } = await child.readSchedules({ path, group, copy: how === 'copy', scratch });
      if (missing.length > 0) throw lacksColumns(path, missing);
      return rows;
    });
  }

  change(change: ScheduleChange): Promise<boolean> {
    const [path, group] = [this.#path, this.#group];
    const now = timestamp(this.#deps.clock.now());
    return withCleanup(async (cleanup) => {
      const child = openSqlite(this.#deps, cleanup);
      return child.changeSchedules({ path, group, change, now });
    });
  }
}

class FileAccess implements Access {
  readonly #file: SchedulesFile;
  readonly #storage: Storage;
  readonly #deps: Deps;

  constructor(file: SchedulesFile, storage: Storage, deps: Deps) {
    this.#file = file;
    this.#storage = storage;
    this.#deps = deps;
  }

  read(): Promise<readonly UntypedRow[]> {
    // What it throws is a rejection here, as with a table.
    return new Promise((resolve) => resolve(this.#file.read()));
  }

  async change(change: ScheduleChange): Promise<boolean> {
    await this.#storage.prepare();
    return this.#file.change(change, this.#deps.signal);
  }
}
