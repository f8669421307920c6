import { manifestName, sumsName, type DecodedEntry, type EntryHeader, type NamedEntry } from '../archive/archive.js';
import { dirname, isAbsolute } from 'node:path';
import { sourceOf } from '../base/entry-path.js';
import { climbsAbove } from '../fs/link-target.js';
import type { SumLine } from './checksums.js';
import { finding, type Finding } from './findings.js';
import { KnownNames } from './known-names.js';
import type { ListedSums, SumsTable } from './listed-sums.js';
import type { FoundManifest } from './manifest.js';
import { NameOrder } from './name-order.js';
import { SumsCursor } from './sums-cursor.js';

/** What an archive says of its own content. */
export interface Claims {
  readonly manifest: FoundManifest;
  /** Undefined where there is no SHA256SUMS: then any regular file of the manifest's sources is taken, unproven. */
  readonly sums: ListedSums | undefined;
  /** The container may have been remade by another tool: links need not keep their type. */
  readonly repacked: boolean;
}

/**
 * Holds what an archive is found to contain against what it claims: exact set equality of files with SHA256SUMS, links
 * with the manifest's, folders only within its sources, no name twice, nothing below what is not a folder. As long as
 * entries and lines come in the order that `create` writes, each is held against the next of the other, and nothing is
 * kept of them; from the first one on that does not, names and sums are kept in tables.
 */
export class Ledger {
  readonly #claims: Claims;
  readonly #sources: ReadonlySet<string>;
  readonly #links: ReadonlyMap<string, string>;
  readonly #names: () => AsyncIterable<NamedEntry>;
  readonly #order = new NameOrder();
  readonly #cursor: SumsCursor | undefined;
  readonly #unseenLinks: Set<string>;
  /** Undefined as long as all is in order. */
  #tables: Tables | undefined;
  /** What is listed for the file that was admitted last. */
  #expected: string | undefined;
  #admitted = 0;
  #files = 0;
  #bytes = 0;

  /** `names`: the archive's entries from the first one on, in the order in which they will be admitted. */
  constructor(claims: Claims, names: () => AsyncIterable<NamedEntry>) {
    this.#claims = claims;
    this.#names = names;
    this.#sources = new Set([...claims.manifest.includes, ...(claims.manifest.sources ?? []).map(({ name }) => name)]);
    this.#links = new Map(
      (claims.manifest.sources ?? []).flatMap(({ links }) => (links ?? []).map(({ path, target }) => [path, target])),
    );
    this.#unseenLinks = new Set(this.#links.keys());
    this.#cursor = claims.sums === undefined ? undefined : new SumsCursor(claims.sums);
  }

  /** Files proven or taken so far, without the two proving files. */
  get files(): number {
    return this.#files;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** To be awaited before an entry is admitted, unless it is undefined: then there is nothing to wait for. */
  prepare(header: NamedEntry): Promise<void> | undefined {
    if (this.#tables !== undefined) return undefined;
    const ready = isSummed(header) ? this.#cursor?.ready() : undefined;
    return ready === undefined ? this.#keepStep(header) : ready.then(() => this.#keepStep(header));
  }

  /** Whether this entry may be there, by name and type. Called once for each, after `prepare`, before its content is used. */
  admit(header: EntryHeader): Finding | undefined {
    const { path, kind } = header;
    const about = { source: sourceOf(path), path };
    this.#admitted += 1;
    const fault = this.#tables?.names.add(header);
    if (fault !== undefined) return finding(fault.id, fault.message, about);
    if (kind === 'file') return this.#admitFile(header);
    if (kind === 'link') this.#unseenLinks.delete(path);
    if (!this.#sources.has(about.source))
      return finding('entry-unlisted', 'it belongs to no source of the manifest', about);
    return kind === 'link' ? this.#admitLink(header) : undefined;
  }

  /** A file whose content is not looked at; call after `admit` said nothing. */
  count(header: EntryHeader): void {
    this.#files += 1;
    this.#bytes += header.size;
  }

  /** A file's content as found; called next after `admit` said nothing. */
  content(header: EntryHeader, sha256: string): Finding | undefined {
    this.count(header);
    const expected = this.#expected;
    if (expected === undefined || expected === sha256) return undefined;
    const message = `expected SHA-256 ${expected}, found ${sha256}`;
    return finding('checksum-mismatch', message, { source: sourceOf(header.path), path: header.path });
  }

  /** What was claimed and not found; called when all entries were seen. */
  async missing(): Promise<Finding[]> {
    const findings: Finding[] = [];
    const miss = (path: string, message: string): void => {
      findings.push(finding('entry-missing', message, { source: path.split('/', 1)[0] ?? path, path }));
    };
    for await (const { path } of this.#unfoundLines()) miss(path, 'SHA256SUMS lists it, the archive does not hold it');
    for (const path of this.#links.keys()) {
      const isSeen = this.#tables?.names.has(path, 'link') ?? !this.#unseenLinks.has(path);
      if (!isSeen) miss(path, 'the manifest lists this link, the archive does not hold it');
    }
    return findings;
  }

  async close(): Promise<void> {
    await this.#cursor?.close();
  }

  /** In order, the lines that no file has taken are those without one. */
  async *#unfoundLines(): AsyncGenerator<SumLine> {
    if (this.#tables === undefined) {
      if (this.#cursor !== undefined) yield* this.#cursor.rest();
      return;
    }
    const { names } = this.#tables;
    for await (const lines of this.#claims.sums?.lines() ?? []) {
      for (const line of lines) if (!names.has(line.path, 'file')) yield line;
    }
  }

  #keepStep(header: NamedEntry): Promise<void> | undefined {
    const { path, kind } = header;
    this.#expected = isSummed(header) ? this.#cursor?.take(path) : undefined;
    const isListed = !isSummed(header) || this.#cursor === undefined || this.#expected !== undefined;
    return isListed && this.#order.follows(path, kind === 'directory') ? undefined : this.#lookUp();
  }

  /** Something is not where it would be in an archive of ours: from now on everything is looked up. */
  async #lookUp(): Promise<void> {
    const names = new KnownNames();
    let left = this.#admitted;
    if (left > 0) {
      for await (const entry of this.#names()) {
        names.add(entry);
        left -= 1;
        if (left === 0) break;
      }
    }
    await this.#cursor?.close();
    this.#tables = { names, sums: await this.#claims.sums?.table() };
  }

  #admitFile(header: EntryHeader): Finding | undefined {
    if (!isSummed(header)) return undefined;
    const { path } = header;
    const about = { source: sourceOf(path), path };
    if (this.#claims.sums === undefined) {
      return this.#sources.has(about.source)
        ? undefined
        : finding('entry-unlisted', 'it belongs to no source of the manifest', about);
    }
    if (this.#tables !== undefined) this.#expected = this.#tables.sums?.of(path);
    return this.#expected === undefined ? finding('entry-unlisted', 'SHA256SUMS does not list it', about) : undefined;
  }

  #admitLink({ path, target }: EntryHeader): Finding | undefined {
    const about = { source: sourceOf(path), path };
    if (this.#claims.manifest.sources === undefined) {
      return finding('entry-unlisted', 'the manifest lists no links', about);
    }
    const expected = this.#links.get(path);
    if (expected === undefined) return finding('entry-unlisted', 'the manifest does not list this link', about);
    if (expected !== target) {
      return finding('link-mismatch', `expected target ${expected}, found ${target ?? 'none'}`, about);
    }
    if (!this.#leadsOut(path, expected)) return undefined;
    return finding('link-target-unsafe', `it points to ${expected}, out of its source`, about);
  }

  /**
   * Whether a relative target climbs out of the link's source, which create never writes. An absolute one is text that led
   * into the source where it lay, perhaps by another name of it: nothing here can tell.
   */
  #leadsOut(path: string, target: string): boolean {
    const rest = path.slice(path.split('/', 1)[0]?.length);
    return !isAbsolute(target) && climbsAbove('', dirname(rest), target);
  }
}

interface Tables {
  readonly names: KnownNames;
  readonly sums: SumsTable | undefined;
}

const isProofName = (path: string): boolean => path === manifestName || path === sumsName;

/** The two files that prove the rest are not content of a source. */
export const isProof = ({ header }: DecodedEntry): boolean => isProofName(header.path);

/** Whether SHA256SUMS has a line for it. */
const isSummed = ({ path, kind }: NamedEntry): boolean => kind === 'file' && !isProofName(path);
