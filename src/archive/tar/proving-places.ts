import { ArchiveDamage, type Damage } from '../../base/damage.js';
import { manifestName, sumsName } from '../archive.js';
import type { TarEntry } from './entries.js';
import type { Trailer } from './trailer.js';

/** Compares where the proving files lie in the tar with where the archive's end says their members begin. */
export class ProvingPlaces {
  readonly #wanted = new Map<number, string>();
  readonly #positions = new Map<string, number>();
  readonly #met = new Set<string>();
  readonly #oddity: (damage: Damage) => void;

  constructor(trailer: Trailer | undefined, oddity: (damage: Damage) => void) {
    this.#oddity = oddity;
    if (trailer === undefined) return;
    this.#wanted.set(trailer.sumsAt, sumsName);
    this.#wanted.set(trailer.manifestAt, manifestName);
  }

  /** A chunk of the archive's member at byte `at` begins at `position` in the tar. */
  chunk(at: number, position: number): void {
    const name = this.#wanted.get(at);
    if (name !== undefined) this.#positions.set(name, position);
  }

  /** Whether the entry begins where a member should begin with it. */
  begins(entry: TarEntry): boolean {
    return this.#positions.get(entry.header.path) === entry.position;
  }

  /** To be told each entry of a full pass: what lies elsewhere is an oddity. */
  meet(entry: TarEntry): void {
    const { path } = entry.header;
    if (this.#wanted.size === 0 || (path !== sumsName && path !== manifestName)) return;
    if (this.begins(entry)) this.#met.add(path);
    else this.#oddity(misplaced(path));
  }

  /** Behind a full pass: whether both were there. */
  allMet(): boolean {
    return this.#met.size === this.#wanted.size;
  }
}

export const misplaced = (name: string): ArchiveDamage =>
  new ArchiveDamage('structure-invalid', `${name} does not lie where the end of the archive says`);
