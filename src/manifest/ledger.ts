import { manifestName, sumsName, type DecodedEntry, type EntryHeader } from '../archive/archive.js';
import { dirname, isAbsolute } from 'node:path';
import { sourceOf } from '../base/entry-path.js';
import { climbsAbove } from '../fs/link-target.js';
import { finding, type Finding } from './findings.js';
import type { FoundManifest } from './manifest.js';

/** What an archive says of its own content. */
export interface Claims {
  readonly manifest: FoundManifest;
  /** Undefined where there is no SHA256SUMS: then any regular file of the manifest's sources is taken, unproven. */
  readonly sums: ReadonlyMap<string, string> | undefined;
  /** The container may have been remade by another tool: links need not keep their type. */
  readonly repacked: boolean;
}

/**
 * Holds what an archive is found to contain against what it claims: exact set equality of files with SHA256SUMS, links
 * with the manifest's, folders only within its sources, no name twice, nothing below what is not a folder.
 */
export class Ledger {
  readonly #claims: Claims;
  readonly #sources: ReadonlySet<string>;
  readonly #links: ReadonlyMap<string, string>;
  readonly #seen = new Map<string, EntryHeader['kind'] | 'implied'>();
  #files = 0;
  #bytes = 0;
  #parent = '';

  constructor(claims: Claims) {
    this.#claims = claims;
    this.#sources = new Set([...claims.manifest.includes, ...(claims.manifest.sources ?? []).map(({ name }) => name)]);
    this.#links = new Map(
      (claims.manifest.sources ?? []).flatMap(({ links }) => (links ?? []).map(({ path, target }) => [path, target])),
    );
  }

  /** Files proven or taken so far, without the two proving files. */
  get files(): number {
    return this.#files;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether this entry may be there, by name and type. Called once for each, before its content is used. */
  admit(header: EntryHeader): Finding | undefined {
    const { path, kind } = header;
    const about = { source: sourceOf(path), path };
    const before = this.#seen.get(path);
    const misplaced = this.#misplaced(header);
    if (before === undefined || (before === 'implied' && kind === 'directory')) this.#seen.set(path, kind);
    else if (before === 'implied')
      return finding('entry-under-link', 'it is not a folder, but others lie below it', about);
    else return finding('entry-duplicate', 'the archive holds this name twice', about);
    if (misplaced !== undefined) return finding('entry-under-link', misplaced, about);
    if (kind === 'file') return this.#admitFile(header);
    if (!this.#sources.has(about.source))
      return finding('entry-unlisted', 'it belongs to no source of the manifest', about);
    return kind === 'link' ? this.#admitLink(header) : undefined;
  }

  /** A file whose content is not looked at; call after `admit` said nothing. */
  count(header: EntryHeader): void {
    this.#files += 1;
    this.#bytes += header.size;
  }

  /** A file's content as found; call after `admit` said nothing. */
  content(header: EntryHeader, sha256: string): Finding | undefined {
    this.count(header);
    const expected = this.#claims.sums?.get(header.path);
    if (expected === undefined || expected === sha256) return undefined;
    const message = `expected SHA-256 ${expected}, found ${sha256}`;
    return finding('checksum-mismatch', message, { source: sourceOf(header.path), path: header.path });
  }

  /** What was claimed and not found; call when all entries were seen. */
  missing(): Finding[] {
    const findings: Finding[] = [];
    const miss = (path: string, message: string): void => {
      findings.push(finding('entry-missing', message, { source: path.split('/', 1)[0] ?? path, path }));
    };
    for (const path of this.#claims.sums?.keys() ?? []) {
      if (this.#seen.get(path) !== 'file') miss(path, 'SHA256SUMS lists it, the archive does not hold it');
    }
    for (const path of this.#links.keys()) {
      if (this.#seen.get(path) !== 'link') miss(path, 'the manifest lists this link, the archive does not hold it');
    }
    return findings;
  }

  #admitFile({ path }: EntryHeader): Finding | undefined {
    if (path === manifestName || path === sumsName) return undefined;
    const { sums } = this.#claims;
    const about = { source: sourceOf(path), path };
    if (sums === undefined) {
      return this.#sources.has(about.source)
        ? undefined
        : finding('entry-unlisted', 'it belongs to no source of the manifest', about);
    }
    return sums.has(path) ? undefined : finding('entry-unlisted', 'SHA256SUMS does not list it', about);
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

  /** Marks the folders above as folders; says what is wrong where one is something else. */
  #misplaced({ path }: EntryHeader): string | undefined {
    const slash = path.lastIndexOf('/');
    const parent = slash === -1 ? '' : path.slice(0, slash);
    if (parent === this.#parent) return undefined;
    for (let at = parent.length; at > 0; at = parent.lastIndexOf('/', at - 1)) {
      const folder = parent.slice(0, at);
      const kind = this.#seen.get(folder);
      if (kind === undefined) this.#seen.set(folder, 'implied');
      else if (kind !== 'implied' && kind !== 'directory') return `${folder} is a ${kind}`;
      else break;
    }
    this.#parent = parent;
    return undefined;
  }
}

/** The two files that prove the rest are not content of a source. */
export const isProof = ({ header }: DecodedEntry): boolean => header.path === manifestName || header.path === sumsName;
