import type { EntryHeader } from '../../src/archive/archive.js';

/** What is said of entries, as plainly as it can be: everything is held, in whatever order it comes. */
export class PlainLedger {
  readonly #sums: ReadonlyMap<string, string>;
  readonly #links: ReadonlyMap<string, string>;
  readonly #seen = new Map<string, EntryHeader['kind'] | 'implied'>();

  constructor(sums: ReadonlyMap<string, string>, links: ReadonlyMap<string, string>) {
    this.#sums = sums;
    this.#links = links;
  }

  /** The finding's id. */
  admit({ path, kind, target }: EntryHeader): string | undefined {
    const before = this.#seen.get(path);
    const isMisplaced = this.#isMisplaced(path);
    if (before !== undefined && before !== 'implied') return 'entry-duplicate';
    if (before === 'implied' && kind !== 'directory') return 'entry-under-link';
    this.#seen.set(path, kind);
    if (isMisplaced) return 'entry-under-link';
    if (kind === 'file') return this.#sums.has(path) ? undefined : 'entry-unlisted';
    if (kind === 'directory') return undefined;
    const expected = this.#links.get(path);
    if (expected === undefined) return 'entry-unlisted';
    return expected === target ? undefined : 'link-mismatch';
  }

  /** From below: what is known for a folder is in its place, or was told. */
  #isMisplaced(path: string): boolean {
    const segments = path.split('/');
    for (let length = segments.length - 1; length > 0; length--) {
      const folder = segments.slice(0, length).join('/');
      const kind = this.#seen.get(folder);
      if (kind === 'implied' || kind === 'directory') return false;
      if (kind !== undefined) return true;
      this.#seen.set(folder, 'implied');
    }
    return false;
  }

  content({ path }: EntryHeader, sha256: string): string | undefined {
    return this.#sums.get(path) === sha256 ? undefined : 'checksum-mismatch';
  }

  missing(): readonly string[] {
    const files = [...this.#sums.keys()].filter((path) => this.#seen.get(path) !== 'file');
    return [...files, ...[...this.#links.keys()].filter((path) => this.#seen.get(path) !== 'link')];
  }
}
