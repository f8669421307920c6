import { fromRandomAccessReaderPromise, RandomAccessReader, type Entry } from 'yauzl';
import { UnsupportedEncryption } from '../archive.js';
import { hasField, idStrong } from './extra-fields.js';
import { centralBytes, end64Bytes, findEnd, flagStrong, locatorBytes } from './records.js';
import { centralEntry, type ZipEntry } from './central-entry.js';
import type { ByteSource } from '../../base/byte-source.js';
import { ArchiveDamage, type Damage } from '../../base/damage.js';
import { BkpError, errorText } from '../../base/errors.js';
import { limits } from '../../base/limits.js';

/** How much of a zip's end is read at once: as much as most take, then as much as the longest archive comment takes. */
const tailSizes = [16 * 1024, 128 * 1024] as const;

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
  let [tail, tailStart] = await readTail(source, tailSizes[0]);
  // Those of zip64 lie before it.
  const start = findEnd(tail)?.at ?? 0;
  if (start < locatorBytes + end64Bytes) [tail, tailStart] = await readTail(source, tailSizes[1]);
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

/** Gives yauzl the file in large pieces: its records are read one by one, and each read would be a system call. */
class BufferedReader extends RandomAccessReader {
  readonly #source: ByteSource;
  #piece: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(source: ByteSource) {
    super();
    this.#source = source;
  }

  override read(
    target: Buffer,
    offset: number,
    length: number,
    position: number,
    done: (error: Error | null) => void,
  ): void {
    const at = position - this.#start;
    if (at >= 0 && at + length <= this.#piece.length) {
      this.#piece.copy(target, offset, at, at + length);
      done(null);
      return;
    }
    const wanted = Math.min(Math.max(length, 1024 * 1024), this.#source.size - position);
    this.#source.read(position, Math.max(wanted, length)).then(
      (piece) => {
        this.#piece = piece;
        this.#start = position;
        piece.copy(target, offset, 0, length);
        done(null);
      },
      (error: unknown) => done(error instanceof Error ? error : new Error(errorText(error))),
    );
  }
}

export interface ZipDirectory {
  readonly entries: readonly ZipEntry[];
  /** Entries that cannot be taken as they are (unsafe names, forbidden types): not among `entries`. */
  readonly refused: readonly Damage[];
}

/** Lists the central directory through yauzl. Throws `ArchiveDamage` or `UnsupportedEncryption`. Entries come in the order of their content in the file. */
export async function readDirectory(source: ByteSource, end: ZipEnd, dropDotSlash: boolean): Promise<ZipDirectory> {
  if (end.entries > limits.maxEntries) {
    throw new ArchiveDamage(
      'too-many-entries',
      `it says that it has ${end.entries} entries; the limit is ${limits.maxEntries}`,
    );
  }
  const entries: ZipEntry[] = [];
  const refused: Damage[] = [];
  let at = end.directoryStart;
  try {
    const zip = await fromRandomAccessReaderPromise(new BufferedReader(source), source.size, {
      autoClose: false,
      decodeStrings: false,
      validateEntrySizes: false,
    });
    for await (const entry of zip.eachEntry()) {
      const record = recordBytes(entry);
      const parsed = centralEntry(entry, { at, bytes: record }, dropDotSlash);
      at += record;
      if ('id' in parsed) refused.push(parsed);
      else if (!('skip' in parsed)) entries.push(parsed);
    }
  } catch (error) {
    // What reading the file throws is not the archive's fault.
    if (error instanceof ArchiveDamage || error instanceof BkpError) throw error;
    if (await isStronglyEncrypted(source, at, end)) throw new UnsupportedEncryption(errorText(error));
    throw invalid(errorText(error));
  }
  if (at !== end.directoryEnd) throw invalid('the central directory is not as long as it says');
  return { entries: inFileOrder(entries), refused };
}

/** Where yauzl stopped: at a record of PKWARE's strong encryption (APPNOTE 7), by its flag and by its extra field. */
async function isStronglyEncrypted(source: ByteSource, at: number, { directoryEnd }: ZipEnd): Promise<boolean> {
  if (at + centralBytes > directoryEnd) return false;
  const record = await source.read(at, centralBytes);
  const nameEnd = at + centralBytes + record.readUInt16LE(28);
  const extraBytes = record.readUInt16LE(30);
  if ((record.readUInt16LE(8) & flagStrong) === 0 || nameEnd + extraBytes > directoryEnd) return false;
  return hasField(await source.read(nameEnd, extraBytes), idStrong);
}

const recordBytes = (entry: Entry): number =>
  centralBytes + entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength;

function inFileOrder(entries: ZipEntry[]): ZipEntry[] {
  const ordered = entries.every((entry, index) => index === 0 || (entries[index - 1]?.offset ?? 0) <= entry.offset);
  return ordered ? entries : entries.sort((a, b) => a.offset - b.offset);
}
