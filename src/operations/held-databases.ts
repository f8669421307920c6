import { lstatSync } from 'node:fs';
import { fileStat } from '../fs/file-stat.js';
import type { SqliteChild } from '../sqlite/client.js';
import type { DatabaseToCopy } from './database-copies.js';
import { liveContent } from './live-content.js';
import type { InPlacePlan } from './plan-in-place.js';

export interface HeldDatabases {
  /** Live databases inside folders, locked or broken. */
  readonly databases: readonly DatabaseToCopy[];
  /** Sidecars of absent or broken databases that still hold something. */
  readonly stale: readonly string[];
}

/** Locks every live database that is to be replaced, those inside folders too. Rejects as `lockDatabases` does. */
export async function lockLive(plan: InPlacePlan, child: SqliteChild): Promise<HeldDatabases> {
  const own = plan.units.filter(({ source }) => source.type === 'sqlite');
  // Looked at again: the plan is as old as the staging took.
  const { inside } = liveContent({ ...plan, storageFolder: plan.storage.folder });
  const wanted = [
    ...own.map(({ source, live }) => ({ name: source.name, path: live })),
    ...inside.map((one) => ({ name: one.entryPath, path: one.absolute })),
  ];
  if (wanted.length === 0) return { databases: [], stale: [] };
  const { databases } = await child.lockDatabases({ databases: wanted });
  // What lay in a `-wal` was brought in meanwhile.
  const settled = inside.map((one) => ({ ...one, stat: fileStat(lstatSync(one.absolute, { bigint: true })) }));
  return { databases: settled, stale: databases.flatMap(({ sidecars }) => [...sidecars]) };
}
