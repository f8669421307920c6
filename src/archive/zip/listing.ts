import { manifestName, sumsName } from '../archive.js';
import { centralEntryAt, centralPieces, type CentralDirectory } from './central-pieces.js';
import { isEncrypted, type ZipEntry } from './zip-entry.js';
import { sealOf } from './entry-seal.js';
import { ArchiveDamage, type Damage } from '../../base/damage.js';
import { limits } from '../../base/limits.js';

/** What is known of a central directory that was read once. */
interface Survey {
  /** Entries that can be taken. */
  readonly entries: number;
  /** What cannot be. */
  readonly refused: readonly Damage[];
  readonly isEncrypted: boolean;
  /** Entries that are encrypted in a way that can be opened. */
  readonly sealed: number;
  /** The records lie in the order of what they are about. */
  readonly inOrder: boolean;
  /** By name, the first ones that are files. */
  readonly proofs: ReadonlyMap<string, ZipEntry>;
  /** The last one, and the one before it. */
  readonly last: ZipEntry | undefined;
  readonly beforeLast: ZipEntry | undefined;
}

/**
 * The entries of a zip, in the order of their content in the file. The directory is read again for each pass over them
 * instead of being held: an archive may have millions. Where its records lie in another order, two numbers for each are held.
 */
export class ZipListing {
  readonly survey: Survey;
  readonly #directory: CentralDirectory;
  /** Where the records lie, in the order of the content; undefined where that is their own. */
  readonly #order: Float64Array | undefined;

  private constructor(directory: CentralDirectory, survey: Survey, order: Float64Array | undefined) {
    this.#directory = directory;
    this.survey = survey;
    this.#order = order;
  }

  /** Reads the directory once and looks at every record. Throws `ArchiveDamage` or `UnsupportedEncryption`. */
  static async read(directory: CentralDirectory): Promise<ZipListing> {
    const { entries } = directory.end;
    if (entries > limits.maxEntries) {
      const message = `it says that it has ${entries} entries; the limit is ${limits.maxEntries}`;
      throw new ArchiveDamage('too-many-entries', message);
    }
    const survey = await surveyOf(directory);
    return new ZipListing(directory, survey, survey.inOrder ? undefined : await orderOf(directory, survey.entries));
  }

  /** A pass over all entries, in lists of some hundred. */
  async *entries(): AsyncGenerator<readonly ZipEntry[]> {
    if (this.#order === undefined) {
      for await (const listed of centralPieces(this.#directory)) yield listed.filter(isEntry);
      return;
    }
    for (const at of this.#order) yield [await centralEntryAt(this.#directory, at)];
  }
}

const isEntry = (listed: ZipEntry | Damage): listed is ZipEntry => !('id' in listed);

async function surveyOf(directory: CentralDirectory): Promise<Survey> {
  const refused: Damage[] = [];
  const proofs = new Map<string, ZipEntry>();
  const counts = { entries: 0, encrypted: 0, sealed: 0 };
  let inOrder = true;
  let last: ZipEntry | undefined;
  let beforeLast: ZipEntry | undefined;
  for await (const piece of centralPieces(directory)) {
    for (const listed of piece) {
      if (!isEntry(listed)) {
        refused.push(listed);
        continue;
      }
      counts.entries += 1;
      if (isEncrypted(listed)) counts.encrypted += 1;
      if (sealOf(listed) !== undefined) counts.sealed += 1;
      noteProof(proofs, listed);
      if (last === undefined || last.offset <= listed.offset) [beforeLast, last] = [last, listed];
      else {
        inOrder = false;
        if (beforeLast === undefined || beforeLast.offset <= listed.offset) beforeLast = listed;
      }
    }
  }
  const { entries, encrypted, sealed } = counts;
  return { entries, refused, isEncrypted: encrypted > 0, sealed, inOrder, proofs, last, beforeLast };
}

function noteProof(proofs: Map<string, ZipEntry>, entry: ZipEntry): void {
  const { path, kind } = entry.header;
  if ((path !== manifestName && path !== sumsName) || kind !== 'file') return;
  const known = proofs.get(path);
  if (known === undefined || entry.offset < known.offset) proofs.set(path, entry);
}

/** Where the records lie, by the offsets they tell. */
async function orderOf(directory: CentralDirectory, count: number): Promise<Float64Array> {
  const places = new Float64Array(count);
  const offsets = new Float64Array(count);
  let number = 0;
  for await (const piece of centralPieces(directory)) {
    for (const listed of piece) {
      if (!isEntry(listed)) continue;
      places[number] = listed.central.at;
      offsets[number] = listed.offset;
      number += 1;
    }
  }
  const numbers = Uint32Array.from(places.keys());
  numbers.sort((a, b) => (offsets[a] ?? 0) - (offsets[b] ?? 0) || a - b);
  return Float64Array.from(numbers, (one) => places[one] ?? 0);
}
