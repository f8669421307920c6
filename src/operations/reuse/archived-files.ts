import type { Container, EntryHeader, EntrySum, PackedMember, PackedPlace, PassedBy } from '../../archive/archive.js';
import type { NewKnownEntries } from '../../archive/known/known-entries-file.js';
import type { KnownStat } from '../../archive/known/known-entry.js';
import { entriesDigest, type KnownMember } from '../../archive/known/known-member.js';
import { sourceOf } from '../../base/entry-path.js';
import { partlyKnown, type PartlyKnown } from './prove-blocks.js';

/** What is known of a file when it is given to the writer. */
export interface Given {
  /** Undefined: of a database. */
  readonly stat: KnownStat | undefined;
  /** It is taken over, and was decoded and compared before. */
  readonly isProven: boolean;
  /** Of a database: what an earlier archive has of it, decoded and compared there. */
  readonly earlier?: PackedPlace | undefined;
}

/** A small file whose member is not written yet. */
interface Waiting {
  readonly stat: KnownStat;
  readonly isProven: boolean;
  readonly sha256: string;
}

/** What need not be decoded again when an archive is read back. */
export interface ProvenBefore {
  /** Asked once for each file, in archive order: whether it was decoded and compared when it was first archived. */
  readonly inOrder: () => boolean;
  /** Of these only the new blocks are to be decoded. */
  readonly partly: readonly PartlyKnown[];
  /** Where both lie in a tar, which has no index. */
  readonly passBy: PassedBy;
}

/** Everything is to be decoded. */
export const nothingProven: ProvenBefore = { inOrder: () => false, partly: [], passBy: new Map() };

/**
 * Follows the files of an archive from where they are given to the writer to where it tells their place, remembers those that a
 * later archive may take over, and which of them need not be decoded again when the archive is read back.
 */
export class ArchivedFiles {
  readonly #entries: ReadonlyMap<string, NewKnownEntries>;
  readonly #container: Container;
  readonly #willDecode: boolean;
  readonly #given = new Map<string, Given>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #proven: boolean[] = [];
  readonly #partly: PartlyKnown[] = [];
  readonly #passBy = new Map<number, { readonly sizes: readonly number[]; readonly size: number }>();
  #files = 0;
  #bytes = 0;

  /** `entries`: by source. `willDecode`: when the archive is read back, what was not proven yet is decoded. */
  constructor(entries: ReadonlyMap<string, NewKnownEntries>, container: Container, willDecode: boolean) {
    this.#entries = entries;
    this.#container = container;
    this.#willDecode = willDecode;
  }

  /** Taken over so far, with the bytes of their content. */
  get taken(): { readonly files: number; readonly bytes: number } {
    return { files: this.#files, bytes: this.#bytes };
  }

  /** The next entry of this path may be taken over by a later archive. */
  give(path: string, given: Given): void {
    this.#given.set(path, given);
  }

  /** Entries of a source that lie together are taken over. Gives what is to be told of their new place. */
  takeTogether(source: string, known: KnownMember, files: readonly string[]): (member: PackedMember) => void {
    const given = { stat: undefined, isProven: known.isProven };
    for (const path of files) this.#given.set(path, given);
    const isProven = known.isProven || this.#willDecode;
    return (member) => this.#entries.get(source)?.add({ kind: 'member', member: { ...known, isProven, member } });
  }

  /** What was given under this path was taken back. */
  forget(path: string): void {
    this.#given.delete(path);
  }

  /** The entry of this path is one that was taken over. */
  countTaken(bytes: number): void {
    this.#files += 1;
    this.#bytes += bytes;
  }

  /** Told of every file, in archive order. */
  written({ path, bytes, sha256, place }: EntrySum): void {
    const given = this.#given.get(path);
    this.#given.delete(path);
    const partly =
      given?.earlier === undefined || place === undefined
        ? undefined
        : partlyKnown({ path, size: bytes, container: this.#container }, place, given.earlier);
    if (partly !== undefined) this.#partly.push(partly);
    const wasProven = given?.isProven === true || partly !== undefined;
    this.#proven.push(wasProven);
    if (wasProven && this.#container === 'tar.gz' && place?.blocks !== undefined) {
      this.#passBy.set(place.offset, { sizes: place.blocks.sizes, size: bytes });
    }
    if (given === undefined) return;
    const { stat } = given;
    const isProven = given.isProven || this.#willDecode;
    if (place !== undefined) {
      this.#entries.get(sourceOf(path))?.add({ kind: 'entry', entry: { path, stat, isProven, sha256, place } });
    } else if (stat !== undefined) this.#waiting.set(path, { stat, isProven, sha256 });
  }

  /** Told of small entries that lie together, behind the sums of the files among them. */
  writtenTogether(entries: readonly EntryHeader[], member: PackedMember): void {
    const [first] = entries;
    const files = entries.flatMap(({ path, kind }) => (kind === 'file' ? [this.#waiting.get(path)] : []));
    const known = files.filter((file) => file !== undefined);
    const digest = entriesDigest(entries.map((header) => ({ header, stat: this.#waiting.get(header.path)?.stat })));
    for (const { path } of entries) this.#waiting.delete(path);
    // One file whose times do not tell, and the next archive packs all of them anew.
    if (first === undefined || known.length < files.length) return;
    const sums = Buffer.from(known.map(({ sha256 }) => sha256).join(''), 'hex');
    const isProven = known.every((file) => file.isProven);
    const { path } = first;
    const of = { path, entries: entries.length, digest, sums, isProven, member };
    this.#entries.get(sourceOf(path))?.add({ kind: 'member', member: of });
  }

  provenBefore(): ProvenBefore {
    let next = 0;
    return { inOrder: () => this.#proven[next++] ?? false, partly: this.#partly, passBy: this.#passBy };
  }
}
