import { realpathSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { counted, formatBytes } from '../base/amounts.js';
import type { ArchiveProof, ArchiveWriter, Container } from '../archive/archive.js';
import { KeptKeys } from '../archive/kept-keys.js';
import { createTarWriter } from '../archive/tar/writer.js';
import { createZipWriter, type ZipWriterOptions } from '../archive/zip/writer.js';
import { withCleanup, type Cleanup } from '../base/cleanup.js';
import { BkpError } from '../base/errors.js';
import type { CompressPool } from '../compress/pool.js';
import { ofKind, type Finding } from '../manifest/findings.js';
import type { Manifest, ManifestSource } from '../manifest/manifest.js';
import type { FileStat } from '../fs/file-stat.js';
import { sqliteChildOnDemand } from '../sqlite/child-on-demand.js';
import type { SqliteChild } from '../sqlite/client.js';
import { SpaceBefore } from './backup-space.js';
import { openDestination, type OpenDestination } from './backup-destination.js';
import type { CreateRequest } from './create-request.js';
import { DatabaseCopier, type DatabaseCopy, type DatabaseToCopy } from './database-copies.js';
import { openPool, type Deps } from './deps.js';
import { withoutExcluded } from './excluded-sources.js';
import { finishArchive } from './finish-archive.js';
import { scanSource } from './live-databases.js';
import { readBack } from './read-back.js';
import { liesBelow, Reserved, resolveSources, type ResolvedSource, type ResolvedSources } from './resolve-sources.js';
import { nothingProven } from './reuse/archived-files.js';
import { openReuse, type Reuse } from './reuse/reuse.js';
import { SourceArchiver } from './source-archiver.js';
import { SumsBuffer } from './sums-buffer.js';
import { noHooks, tellOutcome } from './run-hooks.js';
import { refuseUnfinished } from './unfinished-restore.js';

export interface CreateResult {
  readonly id: string;
  readonly file: string;
  readonly container: Container;
  /** Of the archive as a file. */
  readonly bytes: number;
  readonly sha256: string;
  readonly complete: boolean;
  /** Every entry was decoded and compared; otherwise only the bytes were read back, of a stream not even those. */
  readonly verified: boolean;
  readonly manifest: Manifest;
  readonly findings: readonly Finding[];
  /** What did not change since the backup before, and was taken over from it as it lay there; bytes of content. */
  readonly takenOver: { readonly files: number; readonly bytes: number };
  readonly milliseconds: number;
}

/**
 * Makes one backup: databases copied at one instant, folders read, everything written aside, read back and compared,
 * then named; a stream in one pass. Losses are findings; rejects with a `BkpError` where no archive is made, and leaves nothing behind.
 */
export function createBackup(wanted: CreateRequest, deps: Deps, held?: HeldInstance): Promise<CreateResult> {
  const request = withoutExcluded(wanted);
  return withCleanup(async (cleanup) => {
    const started = deps.clock.monotonic();
    expectEncryptable(request);
    expectSomething(request);
    const holder = held === undefined ? 'create' : undefined;
    const target = await openDestination({ ...request, holder }, deps, cleanup);
    if (held === undefined) refuseUnfinished(request.root);
    const { hooks = noHooks, root, maxPause } = request;
    const run = { id: target.id, file: target.file, root };
    // An application that its hook has stopped waits for nothing.
    const quiesced = { ...request, maxPause: hooks.quiesces ? 'none' : maxPause } as const;
    const work = async (): Promise<CreateResult> => {
      await hooks.before(run);
      return makeArchive({ request: quiesced, target, held, started }, deps);
    };
    return tellOutcome(work, (outcome) => hooks.after(run, outcome), deps.signal);
  });
}

interface Making {
  readonly request: CreateRequest;
  readonly target: OpenDestination;
  readonly held: HeldInstance | undefined;
  readonly started: number;
}

async function makeArchive(making: Making, deps: Deps): Promise<CreateResult> {
  const { target } = making;
  const space = new SpaceBefore([dirname(target.file), target.staging]);
  try {
    return await writeArchive(making, space, deps);
  } catch (error) {
    throw space.told(error);
  }
}

function writeArchive(
  { request, target, held, started }: Making,
  space: SpaceBefore,
  deps: Deps,
): Promise<CreateResult> {
  return withCleanup(async (cleanup) => {
    const generatedAt = deps.clock.now();
    const pool = openPool(deps, cleanup);
    const sums = new SumsBuffer(target.staging);
    cleanup.defer(() => sums.close());
    const keys = new KeptKeys();
    cleanup.defer(() => keys.forget());
    // What is about to be replaced is read: the copy of it that is made before takes nothing over.
    const reuse =
      held === undefined ? await openReuse({ request, target, pool, begun: generatedAt }, deps, cleanup) : undefined;
    const writer = openWriter(request, target, { pool, sums, keys, reuse });
    cleanup.defer(() => writer.abort());

    const content = await archiveSources(request, { target, writer, held, reuse, space }, deps, cleanup);
    const { manifest, proof } = await finishArchive({ request, target, writer, sums, content, generatedAt, deps });
    await target.partial.sync();
    if (isStream(request)) {
      deps.step('streamed', `${target.file} took all of ${formatBytes(proof.bytes)}`);
    } else {
      const proven = reuse?.provenBefore() ?? nothingProven;
      await readBack({ request, target, proof, pool, keys, proven, deps });
      deps.signal.throwIfAborted();
      await target.publish(proof.sha256);
      deps.step('named', `${target.file} has its name`);
      await reuse?.publish(deps);
    }
    const made = result(request, target, manifest, proof, deps.clock.monotonic() - started);
    const findings = [...made.findings, ...(reuse?.findings ?? [])];
    return { ...made, findings, takenOver: reuse?.taken ?? { files: 0, bytes: 0 } };
  });
}

const isStream = ({ destination }: CreateRequest): boolean => destination.kind === 'stream';

function result(
  request: CreateRequest,
  target: OpenDestination,
  manifest: Manifest,
  { bytes, sha256 }: ArchiveProof,
  milliseconds: number,
): Omit<CreateResult, 'takenOver'> {
  const { container } = request.destination;
  const { complete, findings } = manifest;
  const verified = !isStream(request) && !request.quickCheck;
  return {
    id: target.id,
    file: target.file,
    container,
    bytes,
    sha256,
    complete,
    verified,
    manifest,
    findings,
    milliseconds,
  };
}

interface Writing {
  readonly pool: CompressPool;
  readonly sums: SumsBuffer;
  readonly keys: KeptKeys;
  readonly reuse: Reuse | undefined;
}

function openWriter(
  request: CreateRequest,
  target: OpenDestination,
  { pool, sums, keys, reuse }: Writing,
): ArchiveWriter {
  const { encryption } = request;
  // A stream is never read back, and bytes alone need no keys.
  const isReadBack = !isStream(request) && !request.quickCheck;
  const options: ZipWriterOptions = {
    sink: target.partial,
    pool,
    level: request.level,
    onSum: (sum) => {
      sums.add(sum);
      reuse?.written(sum);
    },
    scratch: target.staging,
    traced: reuse !== undefined,
    ...(encryption === undefined
      ? {}
      : { encryption: { passphrase: encryption.passphrase, ...(isReadBack ? { keys } : {}) } }),
  };
  return request.destination.container === 'zip' ? createZipWriter(options) : createTarWriter(options);
}

/** An instance whose storage is locked already, and whose databases are held: the safety copy before a restore. */
export interface HeldInstance {
  readonly child: SqliteChild;
  /** Databases inside folder sources that are held too. */
  readonly databases: readonly DatabaseToCopy[];
  /** Told of each file, link and database that went in as it is, by its real path. */
  readonly archived: (absolute: string, stat: FileStat) => void;
}

interface Archiving {
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

async function archiveSources(
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
  const child = sqliteChildOnDemand({ signal: deps.signal });
  cleanup.defer(() => child.close());
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

function expectEncryptable({ encryption, destination }: CreateRequest): void {
  if (encryption === undefined) return;
  const { container } = destination;
  if (container !== 'zip') {
    throw new BkpError('usage', `a ${container} cannot be encrypted`, { hint: 'Encrypted backups are zips.' });
  }
  if (encryption.passphrase.bytes.length === 0) {
    throw new BkpError('usage', 'the passphrase is empty', { hint: 'Choose a long one.' });
  }
}

/** Where no source is there at all, not even the storage is made: perhaps it is the wrong folder. */
function expectSomething({ sources }: CreateRequest): void {
  const { resolved, findings } = resolveSources(sources);
  if (resolved.length === 0) throw nothingReadable(findings);
}

/** Folders alone are something only where one of the sources could be read. */
function nothingWasRead({ sources }: CreateRequest, totals: Manifest['totals'], findings: readonly Finding[]): boolean {
  if (totals.files + totals.links > 0) return false;
  const lost = new Set(ofKind(findings, 'loss').map(({ source }) => source));
  return sources.every(({ name }) => lost.has(name));
}

function nothingReadable(findings: readonly Finding[]): BkpError {
  const reasons = ofKind(findings, 'loss').map(({ path, message }) => `${path ?? ''}: ${message}`);
  return new BkpError(
    'nothing-readable',
    `nothing could be read, so no archive was made\n${reasons.join('\n')}`.trim(),
    {
      hint: 'Check -C, the sources of the configuration and the permissions of the user that runs bkp.',
    },
  );
}
