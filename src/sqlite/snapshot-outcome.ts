import { syncCopy } from './copy.js';
import type { Examiner } from './examiner.js';
import type { Copy } from './group-copy.js';
import type { CheckResult, DatabaseRequest, DatabaseSnapshot, SqliteNote } from './protocol.js';
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

/** The copy is checked, and synced meanwhile; a damaged one is replaced by the source's own bytes. */
export async function examineCopy(
  examined: ExaminedCopy,
  copyRaw: RawCopier,
  examiner: Examiner,
): Promise<DatabaseSnapshot> {
  const { database, path, copy, group, notes } = examined;
  const [{ check, facts }] = await Promise.all([
    examiner.examine(database.destination),
    syncCopy(database.destination),
  ]);
  if (check.kind === 'damaged' || facts === undefined) {
    return keepRaw(database, path, `${database.path}: ${rawReason(check)}`, copyRaw);
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

function rawReason(check: CheckResult): string {
  if (check.kind === 'damaged') return check.messages.join('; ');
  return check.kind === 'unchecked' ? `unreadable schema: ${check.reason}` : 'unreadable schema';
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
