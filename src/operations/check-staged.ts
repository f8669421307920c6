import type { EntryHeader } from '../archive/archive.js';
import { withCleanup } from '../base/cleanup.js';
import { hasDamage, type Finding } from '../manifest/findings.js';
import { openSqliteChild } from '../sqlite/client.js';
import { checkDatabase } from './check-databases.js';
import type { Deps } from './deps.js';
import { damaged } from './plan-restore.js';

/** A database that was written, and is at no place yet. */
export interface StagedDatabase {
  readonly header: EntryHeader;
  readonly file: string;
}

/** Asks SQLite about each restored database before anything is at its place. */
export async function checkStaged(
  databases: readonly StagedDatabase[],
  deps: Deps,
  location: string,
): Promise<Finding[]> {
  if (databases.length === 0) return [];
  deps.progress.start('check');
  return withCleanup(async (cleanup) => {
    const child = openSqliteChild({ signal: deps.signal });
    cleanup.defer(() => child.close());
    const findings: Finding[] = [];
    for (const { header, file } of databases) findings.push(...(await checkDatabase(child, file, header)));
    if (hasDamage(findings)) throw damaged(location, findings);
    return findings;
  });
}
