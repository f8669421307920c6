import { createHash } from 'node:crypto';
import type Database from 'better-sqlite3';
import { pragmaNumber } from './connection.js';
import type { DatabaseFacts } from './protocol.js';

/** What the manifest says of a database, from its proven copy. */
export function readFacts(db: Database.Database): DatabaseFacts {
  return {
    userVersion: pragmaNumber(db, 'user_version'),
    applicationId: pragmaNumber(db, 'application_id'),
    schemaHash: schemaHash(db),
  };
}

/**
 * SHA-256 over one line per row of `sqlite_schema`: the JSON array of `type`, `name`, `tbl_name`, `sql` (no spaces, UTF-8)
 * and a line feed, ordered by the bytes of these columns. `rootpage` is left out: VACUUM changes it, the schema it does not.
 */
function schemaHash(db: Database.Database): string {
  const rows = db
    .prepare<[], unknown[]>('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2, 3, 4')
    .raw()
    .iterate();
  const hash = createHash('sha256');
  for (const row of rows) hash.update(`${JSON.stringify(row)}\n`);
  return `sha256:${hash.digest('hex')}`;
}
