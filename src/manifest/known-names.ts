import type { EntryKind, NamedEntry } from '../archive/archive.js';
import { KeyTable } from '../base/key-table.js';

/** What a name stands for; `implied`: a folder that has no entry so far, but others lie below it. */
const kinds = [undefined, 'implied', 'file', 'directory', 'link'] as const;
type Known = (typeof kinds)[number];

export interface NameFault {
  readonly id: 'entry-duplicate' | 'entry-under-link';
  readonly message: string;
}

/** The names of an archive in whatever order they come: none twice, nothing below what is not a folder. */
export class KnownNames {
  readonly #kinds = new KeyTable(1);
  #parent = '';

  /** What is wrong with one more name, which is known from now on. */
  add({ path, kind }: NamedEntry): NameFault | undefined {
    const before = this.#kindOf(path);
    const misplaced = this.#misplaced(path);
    if (before === undefined || (before === 'implied' && kind === 'directory')) this.#set(path, kind);
    else if (before === 'implied')
      return { id: 'entry-under-link', message: 'it is not a folder, but others lie below it' };
    else return { id: 'entry-duplicate', message: 'the archive holds this name twice' };
    return misplaced === undefined ? undefined : { id: 'entry-under-link', message: misplaced };
  }

  /** Whether the first entry of this name was of this kind. */
  has(path: string, kind: EntryKind): boolean {
    return this.#kindOf(path) === kind;
  }

  #kindOf(path: string): Known {
    return kinds[this.#kinds.find(path)?.[0] ?? 0];
  }

  #set(path: string, kind: NonNullable<Known>): void {
    this.#kinds.room(path)[0] = kinds.indexOf(kind);
  }

  /** Marks the folders above as folders; says what is wrong where one is something else. */
  #misplaced(path: string): string | undefined {
    const slash = path.lastIndexOf('/');
    const parent = slash === -1 ? '' : path.slice(0, slash);
    if (parent === this.#parent) return undefined;
    for (let at = parent.length; at > 0; at = parent.lastIndexOf('/', at - 1)) {
      const folder = parent.slice(0, at);
      const kind = this.#kindOf(folder);
      if (kind === undefined) this.#set(folder, 'implied');
      else if (kind !== 'implied' && kind !== 'directory') return `${folder} is a ${kind}`;
      else break;
    }
    this.#parent = parent;
    return undefined;
  }
}
