import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { fileStat, lookAt } from '../fs/file-stat.js';
import type { SqliteChild } from '../sqlite/client.js';
import type { DatabaseToCopy } from './database-copies.js';
import { scanSource } from './live-databases.js';
import type { InPlacePlan } from './plan-in-place.js';
import { Reserved, resolveSources } from './resolve-sources.js';

export interface HeldDatabases {
  /** Live databases inside folders, locked or broken. */
  readonly databases: readonly DatabaseToCopy[];
  /** Sidecars of absent or broken databases that still hold something. */
  readonly stale: readonly string[];
}

/** Locks every live database that is to be replaced, those inside folders too. Rejects as `lockDatabases` does. */
export async function lockLive(plan: InPlacePlan, child: SqliteChild): Promise<HeldDatabases> {
  const own = plan.units.filter(({ source }) => source.type === 'sqlite');
  const inside = insideDatabases(plan);
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

/** Databases inside folders that are replaced: those live now, and those that were when the backup was made. */
function insideDatabases(plan: InPlacePlan): readonly DatabaseToCopy[] {
  const { resolved } = resolveSources(plan.units.map(({ source }) => source));
  const reserved = reservedOf(plan);
  const known = new Map<string, DatabaseToCopy>();
  for (const item of resolved) {
    if (item.source.type === 'sqlite') continue;
    const name = item.source.name;
    const add = (entryPath: string, absolute: string): void => {
      if (lookAt(absolute)?.isFile() !== true) return;
      const stat = fileStat(lstatSync(absolute, { bigint: true }));
      known.set(absolute, { source: name, entryPath, absolute, stat });
    };
    for (const live of scanSource(item, plan.excludes, reserved).live) add(live.entryPath, live.absolute);
    const recorded = plan.manifest.sources?.find((one) => one.name === name)?.databases ?? {};
    for (const path of Object.keys(recorded)) add(path, join(item.real, path.slice(name.length + 1)));
  }
  return [...known.values()];
}

function reservedOf({ root, storage, configured }: InPlacePlan): Reserved {
  const { resolved } = resolveSources(configured);
  return new Reserved(root, storage.folder === undefined ? [] : [storage.folder], resolved);
}
