import type { Container, EntrySum, PackedPlace, PassedBy } from '../../archive/archive.js';
import type { NewKnownEntries } from '../../archive/known/known-entries-file.js';
import type { KnownStat } from '../../archive/known/known-entry.js';
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
    if (given === undefined || place === undefined) return;
    const isProven = given.isProven || this.#willDecode;
    this.#entries.get(sourceOf(path))?.add({ path, stat: given.stat, isProven, sha256, place });
  }

  provenBefore(): ProvenBefore {
    let next = 0;
    return { inOrder: () => this.#proven[next++] ?? false, partly: this.#partly, passBy: this.#passBy };
  }
}
