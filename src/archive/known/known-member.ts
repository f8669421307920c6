import { createHash } from 'node:crypto';
import type { EntryHeader, PackedMember } from '../archive.js';
import { packedSumBytes } from '../../compress/packed-sum.js';
import type { KnownStat } from './known-entry.js';
import type { PieceReader } from './piece-reader.js';

const sha256Bytes = 32;

/** What is remembered of small entries that lie together in the last archive. */
export interface KnownMember {
  /** Of its first entry, in the archive. */
  readonly path: string;
  /** Of all that is in it. */
  readonly entries: number;
  /** By it the same entries are known again: see `entriesDigest`. */
  readonly digest: Buffer;
  /** SHA-256 of the content of each file, one behind the other. */
  readonly sums: Buffer;
  /** All of its files were decoded and compared, then or when an earlier archive was made. */
  readonly isProven: boolean;
  readonly member: PackedMember;
}

/** An entry, and of a file by what else it is taken for the one that was backed up. */
export interface DigestedEntry {
  readonly header: EntryHeader;
  readonly stat: Pick<KnownStat, 'ctime' | 'ino'> | undefined;
}

/** The same where all headers are, their order, and all files: no file was changed since, unless its times do not tell. */
export function entriesDigest(entries: readonly DigestedEntry[]): Buffer {
  const hash = createHash('sha256');
  for (const { header, stat } of entries) {
    const { kind, size, mode, mtime, uid, gid, path, target = '' } = header;
    const { ctime = 0n, ino = 0n } = stat ?? {};
    // Neither paths nor targets have a NUL.
    hash.update(`${kind}\0${size}\0${mode}\0${mtime}\0${uid}\0${gid}\0${ctime}\0${ino}\0${path}\0${target}\0`);
  }
  return hash.digest();
}

/** Of the content of one of its files. Lower-case hexadecimal. */
export const fileSumAt = ({ sums }: KnownMember, index: number): string =>
  sums.toString('hex', index * sha256Bytes, (index + 1) * sha256Bytes);

const fixedBytes = 27;

/** As bytes; all numbers are little-endian. */
export function encodeMember({ path, entries, digest, sums, isProven, member }: KnownMember): Buffer {
  const name = Buffer.from(path);
  const fixed = Buffer.allocUnsafe(fixedBytes);
  fixed.writeUInt8(isProven ? 1 : 0, 0);
  fixed.writeUInt16LE(name.length, 1);
  fixed.writeUInt32LE(entries, 3);
  fixed.writeUInt32LE(sums.length / sha256Bytes, 7);
  fixed.writeBigUInt64LE(BigInt(member.offset), 11);
  fixed.writeUInt32LE(member.length, 19);
  fixed.writeUInt32LE(member.size, 23);
  return Buffer.concat([fixed, name, digest, member.sum, sums]);
}

/** Throws a `RangeError` where it is not what `encodeMember` gives. */
export function decodeMember(reader: PieceReader): KnownMember {
  const fixed = reader.take(fixedBytes);
  const path = reader.take(fixed.readUInt16LE(1)).toString();
  const digest = reader.take(sha256Bytes);
  const sum = reader.take(packedSumBytes);
  return {
    path,
    entries: fixed.readUInt32LE(3),
    digest,
    sums: reader.take(sha256Bytes * fixed.readUInt32LE(7)),
    isProven: fixed.readUInt8(0) === 1,
    member: {
      offset: Number(fixed.readBigUInt64LE(11)),
      length: fixed.readUInt32LE(19),
      size: fixed.readUInt32LE(23),
      sum,
    },
  };
}
