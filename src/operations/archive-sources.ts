import { realpathSync } from 'node:fs';
import { relative } from 'node:path';
import { counted, formatBytes } from '../base/amounts.js';
import type { ArchiveWriter } from '../archive/archive.js';
import { type Cleanup } from '../base/cleanup.js';
import { BkpError } from '../base/errors.js';
import { ofKind, type Finding } from '../manifest/findings.js';
import type { Manifest, ManifestSource } from '../manifest/manifest.js';
import type { FileStat } from '../fs/file-stat.js';
import type { SqliteChild } from '../sqlite/client.js';
import type { SpaceBefore } from './backup-space.js';
import { type OpenDestination } from './backup-destination.js';
import type { CreateRequest } from './create-request.js';
import { DatabaseCopier, type DatabaseCopy, type DatabaseToCopy } from './database-copies.js';
import { openSqlite, type Deps } from './deps.js';
import { scanSource } from './live-databases.js';
import { liesBelow, Reserved, resolveSources, type ResolvedSource, type ResolvedSources } from './resolve-sources.js';
import { type Reuse } from './reuse/reuse.js';
import { SourceArchiver } from './source-archiver.js';

/** An instance whose storage is locked already, and whose databases are held: the safety copy before a restore. */
export interface HeldInstance {
  readonly child: SqliteChild;
  /** Databases inside folder sources that are held too. */
  readonly databases: readonly DatabaseToCopy[];
  /** Told of each file, link and database that went in as it is, by its real path. */
  readonly archived: (absolute: string, stat: FileStat) => void;
}

export interface Archiving {
  readonly target: OpenDestination;
  readonly writer: ArchiveWriter;
  readonly held: HeldInstance | undefined;
  readonly reuse: Reuse | undefined;
  readonly space: SpaceBefore;
}

/** What went into the archive. */
export interface ArchivedContent {
  readonly sources: readonly ManifestSource[];
  readonly findings: readonly Finding[];
  readonly totals: Manifest['totals'];
}

/** Copies the databases at one instant, then archives source by source. Rejects with `nothing-readable` where none could be read. */
export async function archiveSources(
  request: CreateRequest,
  { target, writer, held, reuse, space }: Archiving,
  deps: Deps,
  cleanup: Cleanup,
): Promise<ArchivedContent> {
  const found = resolveSources(request.sources);
  const others = resolveSources(request.others ?? []).resolved;
  const reserved = new Reserved(request.root, target.folders, [...found.resolved, ...others]);
  const child = held?.child ?? openChild(found, deps, cleanup);
  const scanned = scan(found, request.excludes, reserved, deps);
  const known = new Set(scanned.databases.map(({ absolute }) => absolute));
  const more = (held?.databases ?? []).filter(({ absolute }) => !known.has(absolute));
  const databases = [...scanned.databases, ...more];
  space.needed.content = scanned.bytes;
  space.needed.databases = sum(databases.map(({ stat }) => stat.size));
  const onProgress = (copied: number): void => deps.progress.advance(copied);
  const copier = new DatabaseCopier(child, {
    staging: target.staging,
    maxPause: request.maxPause,
    onProgress,
    locked: held !== undefined,
  });
  deps.progress.start('databases', space.needed.databases);
  const copies = byEntryPath(await copier.copy(databases));
  for (const { absolute } of databases) reserved.addDatabase(absolute);
  deps.step('databases-copied', `copied ${counted(databases.length, 'database')}`);

  deps.progress.start('archive', scanned.bytes);
  const archiver = new SourceArchiver({
    writer,
    excludes: request.excludes,
    reserved,
    copies,
    copyLate: (database) => copyLate(copier, database),
    pathOf: (resolved) => pathOf(request.root, resolved),
    archived: held?.archived ?? (() => undefined),
    advance: (count, path) => deps.progress.advance(count, path),
    canTakeBack: target.partial.truncate !== undefined,
    reuse,
    signal: deps.signal,
  });
  const sources: ManifestSource[] = [];
  for (const resolved of found.resolved) {
    const described = await archiver.add(resolved, () => deps.clock.now());
    sources.push(described);
    deps.step(
      'source-archived',
      `${described.name}: ${counted(described.files, 'file')}, ${formatBytes(described.bytes)}`,
    );
  }
  const findings = [...found.findings, ...archiver.findings];
  if (nothingWasRead(request, archiver.totals, findings)) throw nothingReadable(findings);
  return { sources, findings, totals: archiver.totals };
}

/** Where it will be needed it starts at once: it loads while the folders are listed. */
function openChild({ resolved }: ResolvedSources, deps: Deps, cleanup: Cleanup): SqliteChild {
  const child = openSqlite(deps, cleanup);
  if (resolved.some(({ source }) => source.type === 'sqlite')) child.start();
  return child;
}

/** All databases, those of folder sources included, and how many bytes there are to archive. */
function scan(
  { resolved }: ResolvedSources,
  excludes: readonly string[],
  reserved: Reserved,
  deps: Deps,
): { readonly databases: readonly DatabaseToCopy[]; readonly bytes: number } {
  deps.progress.start('scan');
  const databases: DatabaseToCopy[] = [];
  let bytes = 0;
  for (const item of resolved) {
    deps.signal.throwIfAborted();
    const { source, real, stat } = item;
    if (source.type === 'sqlite') {
      databases.push({ source: source.name, entryPath: source.name, absolute: real, stat });
      bytes += stat.size;
      continue;
    }
    const scanned = scanSource(item, excludes, reserved);
    bytes += scanned.bytes;
    databases.push(...scanned.live.map((live) => ({ source: source.name, ...live, found: true })));
  }
  return { databases, bytes };
}

async function copyLate(copier: DatabaseCopier, database: DatabaseToCopy): Promise<DatabaseCopy> {
  const [copy] = await copier.copy([{ ...database, found: true }]);
  if (copy === undefined) throw new Error(`no copy of ${database.entryPath}`);
  return copy;
}

const byEntryPath = (copies: readonly DatabaseCopy[]): ReadonlyMap<string, DatabaseCopy> =>
  new Map(copies.map((copy) => [copy.database.entryPath, copy]));

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/**
 * Relative to the root where it lies in it: what a restore elsewhere can follow. A link's own place comes before the one
 * it leads to: there the application looks for it.
 */
function pathOf(root: string, { source, real }: ResolvedSource): string {
  const realRoot = realpathSync.native(root);
  for (const path of [source.path, real]) {
    if (path === realRoot) return '.';
    if (liesBelow(path, realRoot)) return relative(realRoot, path);
  }
  return real;
}

/** Folders alone are something only where one of the sources could be read. */
function nothingWasRead({ sources }: CreateRequest, totals: Manifest['totals'], findings: readonly Finding[]): boolean {
  if (totals.files + totals.links > 0) return false;
  const lost = new Set(ofKind(findings, 'loss').map(({ source }) => source));
  return sources.every(({ name }) => lost.has(name));
}

export function nothingReadable(findings: readonly Finding[]): BkpError {
  const reasons = ofKind(findings, 'loss').map(({ path, message }) => `${path ?? ''}: ${message}`);
  return new BkpError(
    'nothing-readable',
    `nothing could be read, so no archive was made\n${reasons.join('\n')}`.trim(),
    {
      hint: 'Check -C, the sources of the configuration and the permissions of the user that runs bkp.',
    },
  );
}
