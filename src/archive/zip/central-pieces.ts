import { UnsupportedEncryption } from '../archive.js';
import { centralEntry } from './central-entry.js';
import { type ZipEntry } from './zip-entry.js';
import { centralRecordBytes, decodeCentral, MalformedRecord } from './central-record.js';
import type { ZipEnd } from './end.js';
import { hasField, idStrong } from './extra-fields.js';
import { centralBytes, flagStrong } from './records.js';
import type { ByteSource } from '../../base/byte-source.js';
import { ArchiveDamage, type Damage } from '../../base/damage.js';

/** What is read of the directory at once: so many entries are objects at one time, whatever the archive holds. */
const pieceBytes = 128 * 1024;
const usualRecord = 4096;
const largestRecord = centralBytes + 3 * 0xffff;

export interface CentralDirectory {
  readonly source: ByteSource;
  readonly end: ZipEnd;
  /** One leading `./` of a name is dropped. */
  readonly dropDotSlash: boolean;
}

/** An entry, or why a record cannot be taken as one (unsafe names, forbidden types). */
export type Listed = ZipEntry | Damage;

const invalid = (message: string): ArchiveDamage => new ArchiveDamage('structure-invalid', message);

/** Reads the central directory once, in pieces, in its own order. Throws `ArchiveDamage` or `UnsupportedEncryption`. */
export async function* centralPieces(directory: CentralDirectory): AsyncGenerator<readonly Listed[]> {
  const { source, end } = directory;
  let at = end.directoryStart;
  let wanted = pieceBytes;
  for (let left = end.entries; left > 0;) {
    const there = source.size - at;
    const piece = await source.read(at, Math.min(wanted, there));
    const taken = await takeRecords({ piece, at, left, directory });
    if (taken.records === 0 && piece.length === there) {
      throw new ArchiveDamage('truncated', `${source.name} ends at byte ${source.size}, within a central record`);
    }
    yield taken.listed;
    left -= taken.records;
    at += taken.bytes;
    wanted = taken.records > 0 ? pieceBytes : largestRecord;
  }
  if (at !== end.directoryEnd) throw invalid('the central directory is not as long as it says');
}

/** The entry whose record lies at byte `at`, which was read before. */
export async function centralEntryAt(directory: CentralDirectory, at: number): Promise<ZipEntry> {
  const { source } = directory;
  for (const length of [usualRecord, largestRecord]) {
    const piece = await source.read(at, Math.min(length, source.size - at));
    const [found] = (await takeRecords({ piece, at, left: 1, directory })).listed;
    if (found !== undefined && !('id' in found)) return found;
  }
  throw invalid('the central directory changed while it was read');
}

interface Taking {
  readonly piece: Buffer;
  /** Where the piece begins in the file. */
  readonly at: number;
  /** Records, at most. */
  readonly left: number;
  readonly directory: CentralDirectory;
}

interface Taken {
  readonly listed: readonly Listed[];
  readonly records: number;
  readonly bytes: number;
}

async function takeRecords(taking: Taking): Promise<Taken> {
  try {
    return wholeRecords(taking);
  } catch (error) {
    if (!(error instanceof MalformedRecord)) throw error;
    const { at, directory } = taking;
    if (await isStronglyEncrypted(directory, at + error.from)) throw new UnsupportedEncryption(error.message);
    throw invalid(error.message);
  }
}

/** The records that lie in the piece as a whole. */
function wholeRecords({ piece, at, left, directory }: Taking): Taken {
  const listed: Listed[] = [];
  let records = 0;
  let from = 0;
  while (records < left && from + centralBytes <= piece.length) {
    const bytes = centralRecordBytes(piece, from);
    if (from + bytes > piece.length) break;
    const found = centralEntry(decodeCentral(piece, from, bytes), at + from, directory.dropDotSlash);
    if (found !== 'skip') listed.push(found);
    records += 1;
    from += bytes;
  }
  return { listed, records, bytes: from };
}

/** Whether it is a record of PKWARE's strong encryption (APPNOTE 7), by its flag and by its extra field. */
async function isStronglyEncrypted({ source, end }: CentralDirectory, at: number): Promise<boolean> {
  const { directoryEnd } = end;
  if (at + centralBytes > directoryEnd) return false;
  const record = await source.read(at, centralBytes);
  const nameEnd = at + centralBytes + record.readUInt16LE(28);
  const extraBytes = record.readUInt16LE(30);
  if ((record.readUInt16LE(8) & flagStrong) === 0 || nameEnd + extraBytes > directoryEnd) return false;
  return hasField(await source.read(nameEnd, extraBytes), idStrong);
}
