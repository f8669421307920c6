import { checkDatabase, withCopy } from './check.js';
import { readFacts } from './facts.js';
import type { Copy } from './group-copy.js';
import type { DatabaseRequest, DatabaseSnapshot, SqliteNote } from './protocol.js';
import type { RawCopy } from './raw-copy.js';

/** Copies a database's bytes and its sidecars', as `copyRaw` does. */
export type RawCopier = (source: string, destination: string) => Promise<RawCopy>;

export interface ExaminedCopy {
  readonly database: DatabaseRequest;
  /** The source without symbolic links. */
  readonly path: string;
  readonly copy: Copy;
  /** Asked only where the copy is kept. */
  readonly group: () => number;
  readonly notes: readonly SqliteNote[];
}

/** The copy is checked; a damaged one is replaced by the source's own bytes. */
export async function examineCopy(examined: ExaminedCopy, copyRaw: RawCopier): Promise<DatabaseSnapshot> {
  const { database, path, copy, group, notes } = examined;
  const { check, facts } = withCopy(database.destination, (db) => {
    const result = checkDatabase(db);
    return { check: result, facts: result.kind === 'damaged' ? undefined : readFacts(db) };
  });
  if (check.kind === 'damaged' || facts === undefined) {
    const reason = check.kind === 'damaged' ? check.messages.join('; ') : 'unreadable schema';
    return keepRaw(database, path, `${database.path}: ${reason}`, copyRaw);
  }
  const { together: _, ...measured } = copy;
  return {
    kind: 'copied',
    name: database.name,
    ...measured,
    ...facts,
    integrity: check.kind,
    ...(check.kind === 'unchecked' ? { integrityReason: check.reason } : {}),
    snapshotGroup: group(),
    notes: [...notes, ...check.notes],
  };
}

/** Keeps a database that SQLite cannot read as its bytes, for a reason. */
export async function keepRaw(
  { name, destination }: DatabaseRequest,
  path: string,
  reason: string,
  copyRaw: RawCopier,
): Promise<DatabaseSnapshot> {
  const raw = await copyRaw(path, destination);
  if (raw.kind !== 'copied') return { ...raw, name };
  return {
    kind: 'raw',
    name,
    files: raw.files,
    reason: raw.steady ? reason : `${reason}; it changed while it was read`,
  };
}
