import { decodeEntry, encodeEntry, type KnownEntry } from './known-entry.js';
import { decodeMember, encodeMember, type KnownMember } from './known-member.js';
import { PieceReader } from './piece-reader.js';

/** A file by itself, or small entries that lie together. */
export type KnownRecord =
  { readonly kind: 'entry'; readonly entry: KnownEntry } | { readonly kind: 'member'; readonly member: KnownMember };

const kinds = { entry: 0, member: 1 } as const;

export function encodeRecord(record: KnownRecord): Buffer {
  const kind = Buffer.of(kinds[record.kind]);
  return Buffer.concat([kind, record.kind === 'entry' ? encodeEntry(record.entry) : encodeMember(record.member)]);
}

/** All records of a piece. Throws a `RangeError` where they are not what `encodeRecord` gives. */
export function* decodeRecords(piece: Buffer): Generator<KnownRecord> {
  const reader = new PieceReader(piece);
  while (!reader.isAtEnd) {
    const kind = reader.take(1).readUInt8(0);
    if (kind === kinds.entry) yield { kind: 'entry', entry: decodeEntry(reader) };
    else if (kind === kinds.member) yield { kind: 'member', member: decodeMember(reader) };
    else throw new RangeError(`nothing is remembered as ${kind}`);
  }
}

/** Where it comes in archive order. */
export const pathOf = (record: KnownRecord): string =>
  record.kind === 'entry' ? record.entry.path : record.member.path;

/** What is remembered of a file by itself. */
export const entryOf = (record: KnownRecord | undefined): KnownEntry | undefined =>
  record?.kind === 'entry' ? record.entry : undefined;
