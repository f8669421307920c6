import { ArchiveDamage, type Damage } from '../../base/damage.js';
import { limits } from '../../base/limits.js';
import type { EntryHeader } from '../archive.js';
import { forbiddenType, kindOf, mayHaveContent } from './entry-kinds.js';
import { entryPath, linkTarget } from './entry-names.js';
import { parseHeader, tarBlock, type TarHeader } from './headers.js';
import { parsePax, type PaxValues } from './pax.js';
import type { TarInput } from './tar-input.js';

/** An entry whose content, `header.size` bytes, is at hand. */
export interface TarEntry {
  readonly header: EntryHeader;
  /** Where its first block lies in the tar. */
  readonly position: number;
  /** Why its content must not be used. */
  readonly damage?: Damage;
}

export interface TarRules {
  readonly dropDotSlash: boolean;
  readonly oddity: (damage: Damage) => void;
  /** Content is padded with zeros, as the format wants it and not every tool does it. */
  readonly strictPadding: boolean;
}

/** What headers before an entry's own say about it: GNU tar's long names, and pax records, which win over those. */
interface Ahead {
  readonly long: PaxValues;
  pax?: PaxValues;
}

const zeros = Buffer.alloc(tarBlock);

/** Walks over the entries of a tar, content included. Everything wrong is thrown as `ArchiveDamage`. */
export class TarEntries {
  readonly #input: TarInput;
  readonly #rules: TarRules;
  readonly #global: PaxValues = {};
  #current: TarEntry | undefined;
  #unread = 0;
  #padding = 0;
  #count = 0;

  constructor(input: TarInput, rules: TarRules) {
    this.#input = input;
    this.#rules = rules;
  }

  /** The next entry; what was not read of the one before is passed over. Undefined behind the end of the archive. */
  async next(): Promise<TarEntry | undefined> {
    let ahead: Ahead = { long: {} };
    this.#current = undefined;
    for (;;) {
      await this.#passContent();
      const block = await this.#block();
      if (block.equals(zeros)) return this.#endOfArchive(ahead);
      const position = this.#input.position - tarBlock;
      const header = parseHeader(block);
      if (await this.#readAhead(header, ahead)) continue;
      this.#current = this.#entry(header, ahead, position);
      if (this.#current !== undefined) return this.#current;
      ahead = { long: {} };
    }
  }

  /** A piece of the entry's content, as a view; undefined at its end. The entry must be the latest one. */
  async piece(entry: TarEntry): Promise<Buffer | undefined> {
    if (entry !== this.#current) throw new Error(`${entry.header.path} was passed over: it cannot be read any more`);
    return this.#piece();
  }

  /** All of the latest entry's content, for sizes that fit into memory; a view like a piece. */
  async whole(): Promise<Buffer> {
    const length = this.#unread;
    this.#unread = 0;
    return this.#input.takeNow(length) ?? this.#input.take(length);
  }

  async #piece(): Promise<Buffer | undefined> {
    if (this.#unread === 0) return undefined;
    const bytes = await this.#input.some(this.#unread);
    if (bytes === undefined) throw new ArchiveDamage('truncated', 'the tar ends inside a file');
    this.#unread -= bytes.length;
    return bytes;
  }

  async #block(): Promise<Buffer> {
    return this.#input.takeNow(tarBlock) ?? this.#input.take(tarBlock);
  }

  async #passContent(): Promise<void> {
    while (this.#unread > 0) await this.#piece();
    if (this.#padding === 0) return;
    const padding = this.#input.takeNow(this.#padding) ?? (await this.#input.take(this.#padding));
    if (this.#rules.strictPadding && !padding.equals(zeros.subarray(0, padding.length))) {
      this.#rules.oddity({ id: 'structure-invalid', message: 'there is something else than zeros behind a file' });
    }
    this.#padding = 0;
  }

  #contentFollows(size: number): void {
    this.#unread = size;
    this.#padding = (tarBlock - (size % tarBlock)) % tarBlock;
  }

  /** Reads a header that only says something about the next one; false where this is an entry's own. */
  async #readAhead(header: TarHeader, ahead: Ahead): Promise<boolean> {
    if (!'xgLK'.includes(header.type)) return false;
    if (header.size > limits.maxPaxBytes) {
      throw new ArchiveDamage('structure-invalid', `an extended header of ${header.size} bytes is too large`);
    }
    this.#contentFollows(header.size);
    // What is kept must outlive the chunk it lies in.
    const data = Buffer.from(await this.whole());
    switch (header.type) {
      case 'g':
        Object.assign(this.#global, parsePax(data));
        return true;
      case 'x':
        if (ahead.pax !== undefined) throw twice();
        ahead.pax = parsePax(data);
        return true;
      default: {
        const key = header.type === 'L' ? 'path' : 'linkpath';
        if (ahead.long[key] !== undefined) throw twice();
        ahead.long[key] = withoutNul(data);
        return true;
      }
    }
  }

  /** Undefined where the rules pass it over. */
  #entry(header: TarHeader, ahead: Ahead, position: number): TarEntry | undefined {
    if (++this.#count > limits.maxEntries) {
      throw new ArchiveDamage('too-many-entries', `the archive holds more than ${limits.maxEntries} entries`);
    }
    const told = { ...header, ...this.#global, ...ahead.long, ...ahead.pax };
    const kind = kindOf(header.type, told.path);
    const path = entryPath(told.path, kind === 'directory', this.#rules.dropDotSlash);
    if (told.size > 0 && !mayHaveContent(header.type, kind)) {
      const id = kind === undefined ? 'entry-type-forbidden' : 'structure-invalid';
      throw new ArchiveDamage(id, 'an entry of a type without content claims some', path);
    }
    this.#contentFollows(told.size);
    if (path === undefined) return undefined;
    const damage = forbiddenType(kind, header.type, told.sparse ?? false, path);
    const { size, mode, mtime, uid, gid } = told;
    return {
      header: {
        ...{ path, kind: kind ?? 'file', size, mode, mtime, uid, gid },
        ...(kind === 'link' ? { target: linkTarget(told.linkpath, path) } : {}),
      },
      position,
      ...(damage === undefined ? {} : { damage }),
    };
  }

  /** One block of zeros was read: a second one must follow, and nothing but zeros after it. */
  async #endOfArchive(ahead: Ahead): Promise<undefined> {
    if (ahead.pax !== undefined || Object.keys(ahead.long).length > 0) {
      throw new ArchiveDamage('structure-invalid', 'the last header announces an entry that is not there');
    }
    let clean = (await this.#block()).equals(zeros);
    // To the end even so: damage of the gzip data behind is damage too.
    for (let bytes = await this.#input.some(tarBlock); bytes !== undefined; bytes = await this.#input.some(tarBlock)) {
      clean &&= bytes.equals(zeros.subarray(0, bytes.length));
    }
    if (!clean) this.#rules.oddity({ id: 'data-after-end', message: 'there is data behind the end of the tar' });
    return undefined;
  }
}

const withoutNul = (data: Buffer): Buffer => (data.at(-1) === 0 ? data.subarray(0, -1) : data);

const twice = (): ArchiveDamage => new ArchiveDamage('structure-invalid', 'an entry has two headers of one kind');
