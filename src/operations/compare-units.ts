import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readlinkSync, readSync } from 'node:fs';
import { join, relative } from 'node:path';
import { manifestName, sumsName, type EntryHeader } from '../archive/archive.js';
import { systemCode } from '../base/errors.js';
import { sourceOf, type EntryPath } from '../base/entry-path.js';
import { lookIfAllowed } from '../fs/file-stat.js';
import { SumsInTurn } from '../manifest/sums-cursor.js';
import type { Deps } from './deps.js';
import type { Opened } from './open-backup.js';
import { Reserved, resolveSources, sidecarSuffixes } from './resolve-sources.js';
import type { RestoreUnit } from './restore-units.js';
import type { Source } from './source.js';
import { walkSource } from './source-walk.js';
import type { Storage } from '../storage/storage.js';

/** What a restore changes of one source. Paths are those in the archive. */
export interface UnitChanges {
  readonly name: string;
  readonly live: string;
  readonly added: readonly string[];
  readonly changed: readonly string[];
  /** There now, and put back whether they differ or not: databases, and files that nobody may read. */
  readonly replaced: readonly string[];
  readonly removed: readonly string[];
  readonly kept: readonly string[];
}

interface CompareRequest {
  readonly units: readonly RestoreUnit[];
  readonly opened: Extract<Opened, { kind: 'opened' }>;
  readonly configured: readonly Source[];
  readonly excludes: readonly string[];
  readonly root: string;
  readonly storage: Storage;
  readonly isWanted: (path: EntryPath) => boolean;
}

/** Compares what an archive holds with what is there, file by file, by size and SHA-256. Live databases are not opened. */
export async function compareUnits(request: CompareRequest, deps: Deps): Promise<readonly UnitChanges[]> {
  const { reader, claims } = request.opened;
  const comparisons = new Map(request.units.map((unit) => [unit.source.name, new Comparison(unit)]));
  const sums = claims.sums === undefined ? undefined : new SumsInTurn(claims.sums);
  for await (const { header } of reader.decode({ want: () => 'nothing', signal: deps.signal })) {
    const { kind, path } = header;
    const isListed = kind === 'file' && path !== sumsName && path !== manifestName;
    const sum = isListed ? await sums?.of(path) : undefined;
    if (kind !== 'directory' && request.isWanted(path)) comparisons.get(sourceOf(path))?.add(header, sum);
  }
  await sums?.close();
  return [...comparisons.values()].map((comparison) => {
    deps.signal.throwIfAborted();
    return comparison.end(request);
  });
}

type Compared = 'added' | 'changed' | 'replaced' | 'kept';

/** What becomes of one source, entry by entry. */
class Comparison {
  readonly #unit: RestoreUnit;
  readonly #found: Record<Compared, string[]> = { added: [], changed: [], replaced: [], kept: [] };

  constructor(unit: RestoreUnit) {
    this.#unit = unit;
  }

  add(header: EntryHeader, sha256: string | undefined): void {
    const { source, live, exists } = this.#unit;
    const { path } = header;
    if (source.type === 'sqlite') this.#found[exists ? 'replaced' : 'added'].push(path);
    else this.#found[compareFile(join(live, path.slice(source.name.length + 1)), header, sha256)].push(path);
  }

  end(request: CompareRequest): UnitChanges {
    const { source, live, mode } = this.#unit;
    const isWhole = source.type !== 'sqlite' && mode !== 'files';
    const removed = isWhole ? removedPaths(this.#unit, Object.values(this.#found).flat(), request) : [];
    return { name: source.name, live, ...this.#found, removed };
  }
}

function compareFile(live: string, header: EntryHeader, sha256: string | undefined): Compared {
  const found = lookIfAllowed(live);
  if (found === undefined) return 'added';
  if (found === 'denied') return 'replaced';
  if (header.kind === 'link')
    return found.isSymbolicLink() && readlinkSync(live) === header.target ? 'kept' : 'changed';
  if (!found.isFile()) return 'changed';
  if (hasSidecars(live)) return 'replaced';
  if (found.size !== header.size) return 'changed';
  const hash = hashOf(live);
  if (hash === undefined) return 'replaced';
  return hash === sha256 ? 'kept' : 'changed';
}

/** A database that somebody may have open is not looked into. */
const hasSidecars = (path: string): boolean => sidecarSuffixes.some((suffix) => existsSync(`${path}${suffix}`));

const pieceBytes = 1024 * 1024;

/** SHA-256 of a file as it is now; undefined where it cannot be read. */
function hashOf(path: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const hash = createHash('sha256');
    const piece = Buffer.allocUnsafe(pieceBytes);
    for (let bytes = readSync(fd, piece); bytes > 0; bytes = readSync(fd, piece)) hash.update(piece.subarray(0, bytes));
    return hash.digest('hex');
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function removedPaths(unit: RestoreUnit, entries: readonly string[], request: CompareRequest): string[] {
  const { resolved } = resolveSources(request.configured);
  const own = resolved.find(({ source }) => source.name === unit.source.name);
  if (own === undefined) return [];
  const folders = request.storage.folder === undefined ? [] : [request.storage.folder];
  const reserved = new Reserved(request.root, folders, resolved);
  const held = new Set(entries);
  const removed: string[] = [];
  for (const walked of walkSource(own, request.excludes, reserved)) {
    if (walked.kind !== 'file' && walked.kind !== 'link') continue;
    const path = `${unit.source.name}/${relative(own.real, walked.absolute)}`;
    if (!held.has(path)) removed.push(path);
  }
  return removed;
}
