import { end64Bytes, findEnd, locatorBytes } from './records.js';
import type { ByteSource } from '../../base/byte-source.js';
import { ArchiveDamage } from '../../base/damage.js';

/** How much of a zip's end is read at once: as much as most take, then as much as the longest archive comment takes. */
const tailSizes = [4 * 1024, 128 * 1024] as const;
/** What lies before the end record and is to be seen with it: the zip64 records, and the record of the last entry. */
const beforeEnd = locatorBytes + end64Bytes + 256;

/** The end of a zip: where its central directory lies, and the archive comment. */
export interface ZipEnd {
  readonly comment: Buffer;
  readonly entries: number;
  readonly directoryStart: number;
  readonly directoryEnd: number;
  /** The file's last bytes, and where they begin. */
  readonly tail: Buffer;
  readonly tailStart: number;
}

const invalid = (message: string): ArchiveDamage => new ArchiveDamage('structure-invalid', message);

/** Reads and checks the end records (APPNOTE 4.3.14 to 4.3.16): they must end the file and agree with one another. */
export async function readZipEnd(source: ByteSource): Promise<ZipEnd> {
  const [tail, tailStart] = await readTail(source, tailSizes[0]);
  if ((findEnd(tail)?.at ?? 0) >= beforeEnd) return zipEndOf(tail, tailStart);
  return zipEndOf(...(await readTail(source, tailSizes[1])));
}

/** The same of a file's last bytes, which begin at `tailStart` in it. */
export function zipEndOf(tail: Buffer, tailStart: number): ZipEnd {
  const found = findEnd(tail);
  if (found === undefined || found.behind < 0) throw noEnd();
  let place: DirectoryPlace;
  try {
    place = directoryPlace(tail, tailStart, found.at);
  } catch (error) {
    // With bytes behind it and no directory before it, it ends something else: a zip stored in this one, cut off there.
    throw found.behind > 0 ? noEnd() : error;
  }
  if (found.behind > 0) {
    throw new ArchiveDamage('data-after-end', `${found.behind} bytes lie behind the end of the archive`);
  }
  return { comment: found.comment, tail, tailStart, ...place };
}

async function readTail(source: ByteSource, bytes: number): Promise<readonly [tail: Buffer, tailStart: number]> {
  const length = Math.min(source.size, bytes);
  return [await source.read(source.size - length, length), source.size - length];
}

const noEnd = (): ArchiveDamage =>
  new ArchiveDamage('truncated', 'no end of central directory at the end of the file: cut short or overwritten');

type DirectoryPlace = Pick<ZipEnd, 'entries' | 'directoryStart' | 'directoryEnd'>;

/** What the end record at `at` says, and the zip64 records before it. */
function directoryPlace(tail: Buffer, tailStart: number, at: number): DirectoryPlace {
  const end = tail.subarray(at);
  const locatorAt = at - locatorBytes;
  if (locatorAt >= 0 && tail.readUInt32LE(locatorAt) === 0x07064b50) return end64(tail, tailStart, locatorAt, end);
  const entries = end.readUInt16LE(10);
  const directoryStart = end.readUInt32LE(16);
  const directoryEnd = directoryStart + end.readUInt32LE(12);
  if (end.readUInt32LE(4) !== 0 || end.readUInt16LE(8) !== entries) throw invalid('it says that it has several disks');
  if (directoryEnd !== tailStart + at) throw invalid('the central directory does not end where the end record begins');
  return { entries, directoryStart, directoryEnd };
}

function end64(tail: Buffer, tailStart: number, locatorAt: number, end: Buffer): DirectoryPlace {
  const recordAt = Number(tail.readBigUInt64LE(locatorAt + 8));
  const at = recordAt - tailStart;
  // Without an extensible data sector (4.3.14.4) the record lies directly before its locator.
  if (at < 0 || at + end64Bytes !== locatorAt || tail.readUInt32LE(at) !== 0x06064b50) {
    throw invalid('the zip64 end record is not where its locator says');
  }
  const number = (offset: number): number => Number(tail.readBigUInt64LE(at + offset));
  const [entries, bytes, directoryStart] = [number(32), number(40), number(48)];
  if (number(4) !== end64Bytes - 12 || number(16) !== 0 || number(24) !== entries)
    throw invalid('the zip64 end record is malformed');
  const agrees = (offset: number, bits: 16 | 32, value: number): boolean => {
    const max = 2 ** bits - 1;
    return (
      end.readUIntLE(offset, bits / 8) === (value >= max ? max : value) || end.readUIntLE(offset, bits / 8) === max
    );
  };
  if (
    !agrees(8, 16, entries) ||
    !agrees(10, 16, entries) ||
    !agrees(12, 32, bytes) ||
    !agrees(16, 32, directoryStart)
  ) {
    throw invalid('the end record and the zip64 end record contradict each other');
  }
  if (end.readUInt32LE(4) !== 0 || tail.readUInt32LE(locatorAt + 4) !== 0 || tail.readUInt32LE(locatorAt + 16) !== 1) {
    throw invalid('it says that it has several disks');
  }
  if (directoryStart + bytes !== recordAt)
    throw invalid('the central directory does not end where the zip64 end record begins');
  return { entries, directoryStart, directoryEnd: recordAt };
}
