import Database from 'better-sqlite3';
import { copyFileSync, existsSync, lstatSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { withCleanup } from '../base/cleanup.js';
import { systemCode } from '../base/errors.js';
import { createStaging } from '../fs/staging.js';
import type { Deps } from './deps.js';
import type { Opened } from './open-backup.js';
import type { RestoreUnit } from './restore-units.js';

/** What restoring an old database does to the schedules in it. `unknown`: the live one could not be copied whole. */
export type ScheduleDifference =
  | {
      readonly kind: 'known';
      readonly added: readonly string[];
      readonly changed: readonly string[];
      readonly removed: readonly string[];
    }
  | { readonly kind: 'unknown' };

/** The columns of `backup_schedule` that say what a schedule does. */
const columns = [
  'frequency',
  'time_of_day',
  'day_of_week',
  'day_of_month',
  'timezone',
  'keep',
  'scopes',
  'project',
  'format',
  'options',
  'enabled',
] as const;

/** The application's database that holds the table, by the CMS's convention. */
const databaseName = 'system.brain';

/** Compares schedules through private copies in the temporary folder: no live database is opened. */
export async function scheduleDifference(
  units: readonly RestoreUnit[],
  opened: Extract<Opened, { kind: 'opened' }>,
  deps: Deps,
): Promise<ScheduleDifference | undefined> {
  const unit = units.find(({ source, raw }) => source.type === 'sqlite' && source.name === databaseName && !raw);
  if (unit === undefined) return undefined;
  return withCleanup(async (cleanup) => {
    const staging = await createStaging(
      deps.temporaryFolder,
      `bkp-plan-${process.pid}-${Math.round(deps.clock.now())}`,
      deps.clock,
    );
    cleanup.defer(() => staging.close());
    const archived = join(staging.path, 'archived');
    await extract(opened, archived, deps.signal);
    const after = schedulesIn(archived);
    const before = unit.exists ? liveSchedules(unit.live, join(staging.path, 'live')) : new Map<string, string>();
    if (after === undefined || before === undefined) return { kind: 'unknown' };
    return difference(before, after);
  });
}

async function extract(
  { reader }: Extract<Opened, { kind: 'opened' }>,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  const file = await open(to, 'wx', 0o600);
  try {
    const want = ({ path }: { path: string }): 'content' | 'nothing' => (path === databaseName ? 'content' : 'nothing');
    for await (const { content } of reader.decode({ want, signal })) {
      if (content.kind === 'bytes') await file.writeFile(content.bytes);
      if (content.kind !== 'chunks') continue;
      for await (const chunk of content.chunks) await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
}

/** Schedules in a copy of a live database; undefined where the copy may be torn. */
function liveSchedules(live: string, copy: string): ReadonlyMap<string, string> | undefined {
  const stamp = (): string =>
    ['', '-wal']
      .map((suffix) => {
        const found = lstatSync(`${live}${suffix}`, { bigint: true, throwIfNoEntry: false });
        return `${found?.size} ${found?.mtimeNs}`;
      })
      .join();
  try {
    const before = stamp();
    copyFileSync(live, copy);
    if (existsSync(`${live}-wal`)) copyFileSync(`${live}-wal`, `${copy}-wal`);
    if (existsSync(`${live}-journal`) || stamp() !== before) return undefined;
    return schedulesIn(copy);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

/** Each schedule's columns as one text, by name; none where there is no such table. Undefined where it cannot be read. */
function schedulesIn(file: string): ReadonlyMap<string, string> | undefined {
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { fileMustExist: true });
    const known = new Set(database.prepare("SELECT name FROM pragma_table_info('backup_schedule')").pluck().all());
    if (!known.has('name')) return new Map();
    const rows = database.prepare('SELECT * FROM backup_schedule').all() as Record<string, unknown>[];
    return new Map(
      rows.map((row) => [String(row['name']), JSON.stringify(columns.map((column) => row[column] ?? null))]),
    );
  } catch (error) {
    if (systemCode(error)?.startsWith('SQLITE_') !== true) throw error;
    return undefined;
  } finally {
    database?.close();
  }
}

function difference(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): ScheduleDifference {
  const names = [...after.keys()];
  return {
    kind: 'known',
    added: names.filter((name) => !before.has(name)),
    changed: names.filter((name) => before.has(name) && before.get(name) !== after.get(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
  };
}
