import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { withCleanup } from '../base/cleanup.js';
import { BkpError } from '../base/errors.js';
import { scheduleValueColumns } from '../base/schedule-row.js';
import type { SqliteChild } from '../sqlite/client.js';
import type { ScheduleReadRequest } from '../sqlite/protocol.js';
import { openSqlite, type Deps } from './deps.js';
import type { Opened } from './open-backup.js';
import { openPrivateFolder } from './private-folder.js';
import type { RestoreUnit } from './restore-units.js';
import { scheduleDatabase } from './schedule-store.js';

/** What restoring an old database does to the schedules in it. `unknown`: the live one could not be copied whole. */
export type ScheduleDifference =
  | {
      readonly kind: 'known';
      readonly added: readonly string[];
      readonly changed: readonly string[];
      readonly removed: readonly string[];
    }
  | { readonly kind: 'unknown' };

/** Compares schedules through private copies in the temporary folder: no live database is opened. */
export async function scheduleDifference(
  units: readonly RestoreUnit[],
  opened: Extract<Opened, { kind: 'opened' }>,
  deps: Deps,
): Promise<ScheduleDifference | undefined> {
  const databases = units.filter(({ source, raw }) => source.type === 'sqlite' && !raw);
  const unit = databases.find(({ source }) => source.name === scheduleDatabase);
  if (unit === undefined) return undefined;
  return withCleanup(async (cleanup) => {
    const folder = await openPrivateFolder('bkp-plan-', deps, cleanup);
    const child = openSqlite(deps, cleanup);
    const archived = join(folder, 'archived');
    await extract(opened, archived, deps.signal);
    const scratch = join(folder, 'copy');
    const look = (request: Pick<ScheduleReadRequest, 'path' | 'group' | 'copy'>): Promise<Schedules | undefined> =>
      schedulesIn(child, { ...request, scratch }, deps.signal);
    const after = await look({ path: archived, group: [], copy: false });
    const group = databases.map(({ live }) => live);
    const before = unit.exists ? await look({ path: unit.live, group, copy: true }) : new Map<string, string>();
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
    const want = ({ path }: { path: string }): 'content' | 'nothing' =>
      path === scheduleDatabase ? 'content' : 'nothing';
    for await (const { content } of reader.decode({ want, signal })) {
      if (content.kind === 'bytes') await file.writeFile(content.bytes);
      if (content.kind !== 'chunks') continue;
      for await (const chunk of content.chunks) await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
}

/** What each schedule does as one text, by name. */
type Schedules = ReadonlyMap<string, string>;

/** None where there is no such table, undefined where it cannot be read. */
async function schedulesIn(
  child: SqliteChild,
  request: ScheduleReadRequest,
  signal: AbortSignal,
): Promise<Schedules | undefined> {
  try {
    const { rows } = await child.readSchedules(request);
    return new Map(
      rows.map((row) => [String(row.name), JSON.stringify(scheduleValueColumns.map((column) => row[column]))]),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof BkpError)) throw error;
    return undefined;
  }
}

function difference(before: Schedules, after: Schedules): ScheduleDifference {
  const names = [...after.keys()];
  return {
    kind: 'known',
    added: names.filter((name) => !before.has(name)),
    changed: names.filter((name) => before.has(name) && before.get(name) !== after.get(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
  };
}
