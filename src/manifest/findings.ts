import type { DamageId } from '../base/damage.js';

/** Worth telling, changes no exit code. */
type NoteId =
  | 'special-file'
  | 'wal-mode-switch'
  | 'database-constraint'
  | 'integrity-unchecked'
  | 'not-one-instant'
  | 'container-repacked'
  | 'earlier-backup-damaged'
  | 'owner-not-restored'
  | 'hook-failed'
  | 'notify-failed'
  | 'unknown-note'
  | 'restore-unfinished'
  | 'passphrase-short'
  | 'passphrase-exposed';

/** The archive lacks something it should hold: it is incomplete. */
type LossId =
  | 'file-vanished'
  | 'file-changed'
  | 'file-unreadable'
  | 'name-not-utf8'
  | 'link-leaves-source'
  | 'source-missing'
  | 'database-damaged-raw'
  | 'no-checksums'
  | 'unknown-loss';

/** A run did not do all that it should have done; the archive lacks nothing. */
type FaultId = 'copy-failed';

/** An archive is not what it was, or never was what it says. */
type ContentDamageId =
  | 'checksum-mismatch'
  | 'archive-checksum-mismatch'
  | 'side-file-invalid'
  | 'sums-missing'
  | 'sums-invalid'
  | 'sums-mismatch'
  | 'entry-missing'
  | 'entry-unlisted'
  | 'link-mismatch'
  | 'link-target-unsafe'
  | 'container-altered'
  | 'database-damaged';

export type FindingId = NoteId | LossId | FaultId | ContentDamageId | DamageId;
export type FindingKind = 'note' | 'loss' | 'fault' | 'damage';

interface FindingInfo {
  readonly kind: FindingKind;
  readonly title: string;
}

/** Every finding's kind and title. A finding without a line here does not compile. */
export const findingInfo = {
  'special-file': { kind: 'note', title: 'Socket, pipe or device: not backed up' },
  'wal-mode-switch': { kind: 'note', title: 'The database changed its journal mode meanwhile' },
  'database-constraint': { kind: 'note', title: 'Rows that violate a constraint of their own database' },
  'integrity-unchecked': { kind: 'note', title: 'Integrity could not be checked' },
  'not-one-instant': { kind: 'note', title: 'Databases copied one after the other' },
  'container-repacked': { kind: 'note', title: 'Container remade by another tool' },
  'earlier-backup-damaged': { kind: 'note', title: 'The backup before is damaged' },
  'owner-not-restored': { kind: 'note', title: 'Owner could not be restored' },
  'hook-failed': { kind: 'note', title: 'A hook failed' },
  'notify-failed': { kind: 'note', title: 'The monitor could not be told' },
  'restore-unfinished': { kind: 'note', title: 'A restore in place is not finished' },
  'passphrase-short': { kind: 'note', title: 'The passphrase is short' },
  'passphrase-exposed': { kind: 'note', title: 'Others may read the passphrase' },
  'unknown-note': { kind: 'note', title: 'A note of a later version of bkp' },
  'unknown-loss': { kind: 'loss', title: 'A loss that a later version of bkp named' },
  'file-vanished': { kind: 'loss', title: 'Vanished while the backup was made' },
  'file-changed': { kind: 'loss', title: 'Changed while it was read' },
  'file-unreadable': { kind: 'loss', title: 'Could not be read' },
  'name-not-utf8': { kind: 'loss', title: 'Name is not valid UTF-8' },
  'link-leaves-source': { kind: 'loss', title: 'Symbolic link leads out of its source' },
  'source-missing': { kind: 'loss', title: 'Source does not exist' },
  'database-damaged-raw': { kind: 'loss', title: 'Database is damaged; kept as raw bytes' },
  'no-checksums': { kind: 'loss', title: 'No checksums: content cannot be proven' },
  'copy-failed': { kind: 'fault', title: 'A further copy could not be made' },
  'checksum-mismatch': { kind: 'damage', title: 'Content is not what was backed up' },
  'archive-checksum-mismatch': { kind: 'damage', title: 'The archive is not the file its .sha256 was made for' },
  'side-file-invalid': { kind: 'damage', title: 'The .sha256 beside the archive is not one' },
  'sums-missing': { kind: 'damage', title: 'SHA256SUMS is missing' },
  'sums-invalid': { kind: 'damage', title: 'SHA256SUMS cannot be read' },
  'sums-mismatch': { kind: 'damage', title: 'SHA256SUMS is not the one the manifest names' },
  'entry-missing': { kind: 'damage', title: 'Listed, but not in the archive' },
  'entry-unlisted': { kind: 'damage', title: 'In the archive, but not listed' },
  'link-mismatch': { kind: 'damage', title: 'Symbolic link is not the one the manifest names' },
  'link-target-unsafe': { kind: 'damage', title: 'Symbolic link leads out of its source' },
  'container-altered': { kind: 'damage', title: 'Names, modes, times or order were altered' },
  'database-damaged': { kind: 'damage', title: 'Database fails its integrity check' },
  'structure-invalid': { kind: 'damage', title: 'The container is malformed' },
  truncated: { kind: 'damage', title: 'The archive is cut short' },
  'data-after-end': { kind: 'damage', title: 'Data behind the end of the archive' },
  'data-between-entries': { kind: 'damage', title: 'Data that belongs to no entry' },
  'entries-overlap': { kind: 'damage', title: 'Entries overlap' },
  'entry-duplicate': { kind: 'damage', title: 'Name occurs twice' },
  'entry-path-unsafe': { kind: 'damage', title: 'Unsafe name' },
  'entry-type-forbidden': { kind: 'damage', title: 'Not a file, folder or symbolic link' },
  'entry-under-link': { kind: 'damage', title: 'Lies below something that is not a folder' },
  'too-many-entries': { kind: 'damage', title: 'Too many entries' },
  'central-local-mismatch': { kind: 'damage', title: 'Records of one entry contradict each other' },
  'crc-mismatch': { kind: 'damage', title: 'CRC-32 does not match' },
  'size-mismatch': { kind: 'damage', title: 'Size does not match' },
  'content-undecodable': { kind: 'damage', title: 'Content cannot be decoded' },
  'authentication-failed': { kind: 'damage', title: 'Encrypted content was altered' },
  'entry-in-clear': { kind: 'damage', title: 'Not encrypted, in an encrypted archive' },
  'manifest-missing': { kind: 'damage', title: 'No manifest: cut short, or not made by bkp' },
  'manifest-invalid': { kind: 'damage', title: 'The manifest cannot be read' },
} as const satisfies Record<FindingId, FindingInfo>;

/** Something worth telling. Ids and kinds are a contract; messages are for people and may change. */
export interface Finding {
  readonly id: FindingId;
  readonly kind: FindingKind;
  readonly source?: string;
  /** The entry's path in the archive, or what can be shown of its name. */
  readonly path?: string;
  readonly message: string;
}

export function finding(id: FindingId, message: string, about: { source?: string; path?: string } = {}): Finding {
  return { id, kind: findingInfo[id].kind, ...about, message };
}

/** Findings of one kind. */
export const ofKind = (findings: readonly Finding[], kind: FindingKind): readonly Finding[] =>
  findings.filter((found) => found.kind === kind);

export const hasLoss = (findings: readonly Finding[]): boolean => findings.some(({ kind }) => kind === 'loss');
export const hasDamage = (findings: readonly Finding[]): boolean => findings.some(({ kind }) => kind === 'damage');
