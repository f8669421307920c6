import { join } from 'node:path';
import type { Cleanup } from '../base/cleanup.js';
import type { EntryPath } from '../base/entry-path.js';
import type { AskPassphrase } from '../base/passphrase.js';
import { lookAt } from '../fs/file-stat.js';
import { excludeMatcher } from '../fs/globs.js';
import type { CompressPool } from '../compress/pool.js';
import { hasDamage, type Finding } from '../manifest/findings.js';
import type { FoundManifest } from '../manifest/manifest.js';
import { filesAt, findFileUsers } from '../sqlite/file-users.js';
import type { FileUser } from '../sqlite/protocol.js';
import type { Storage } from '../storage/storage.js';
import type { BackupFile } from './backup-file.js';
import { compareUnits, type UnitChanges } from './compare-units.js';
import { openPool, type Deps } from './deps.js';
import { liveContent, type LiveContent } from './live-content.js';
import { openBackupFile, type Opened } from './open-backup.js';
import { damaged, unverified } from './plan-restore.js';
import { realOrItself } from './own-folders.js';
import { proveContainer } from './prove-container.js';
import { refusePart } from './part-of-source.js';
import { requireRights } from './restore-rights.js';
import { requireSpace, spaceNeeds, type SpaceNeed } from './restore-space.js';
import { restoreUnits, type RestoreUnit } from './restore-units.js';
import { scheduleDifference, type ScheduleDifference } from './schedule-difference.js';
import type { Source } from './source.js';
import { refuseUnfinished } from './unfinished-restore.js';

/** Asked once a backup is proven: which of its sources are to be put back; undefined means all. */
export type ChooseSources = (manifest: FoundManifest) => Promise<readonly string[] | undefined>;

/** Whose files restored ones are: those they replace, as recorded, or one user's. */
export type OwnerPolicy =
  | { readonly kind: 'target' }
  | { readonly kind: 'archive' }
  | { readonly kind: 'ids'; readonly uid: number; readonly gid: number };

export interface InPlaceRequest {
  readonly file: BackupFile;
  readonly instance: string;
  /** A real path. */
  readonly root: string;
  /** All of the configuration. */
  readonly configured: readonly Source[];
  readonly excludes: readonly string[];
  readonly storage: Storage;
  readonly only: readonly string[] | undefined;
  /** Says it in place of `only`. */
  readonly choose?: ChooseSources | undefined;
  /** Globs of single files to merge in (`source/path`); undefined: whole sources. */
  readonly paths: readonly string[] | undefined;
  readonly owner: OwnerPolicy;
  readonly allowUnverified: boolean;
  readonly allowRepacked: boolean;
  /** One will be made: it needs space. */
  readonly safetyBackup: boolean;
  /** Tell what changes file by file: reads what is there. */
  readonly compare: boolean;
  /** For an encrypted one; needed until the restore has ended. */
  readonly passphrase?: AskPassphrase | undefined;
}

/** What a restore in place will do. Proven as bytes; contents are proven while they are staged. */
export interface InPlacePlan {
  readonly file: BackupFile;
  readonly instance: string;
  readonly root: string;
  readonly storage: Storage;
  readonly excludes: readonly string[];
  readonly configured: readonly Source[];
  readonly manifest: FoundManifest;
  /** What confirms it: the backup's id. */
  readonly id: string;
  readonly units: readonly RestoreUnit[];
  /** Single files are merged in; whole sources are replaced otherwise. */
  readonly merge: boolean;
  /** Whether an entry is wanted: all are, unless single files are merged. */
  readonly isWanted: (path: EntryPath) => boolean;
  readonly changes: readonly UnitChanges[];
  /** What becomes of the schedules in the application's database; undefined where it is not restored or not compared. */
  readonly schedules: ScheduleDifference | undefined;
  readonly owner: OwnerPolicy;
  readonly safetyBackup: boolean;
  /** Bytes to be staged, at most; undefined where the manifest does not tell. */
  readonly bytes: number | undefined;
  /** By file system, the root's first. */
  readonly space: readonly SpaceNeed[];
  /** Databases that other processes have open now, as far as can be seen: they must let go before it is done. */
  readonly inUse: readonly FileUser[];
  /** Of the archive as a file. */
  readonly sha256: string;
  readonly findings: readonly Finding[];
  readonly opened: Extract<Opened, { kind: 'opened' }>;
  readonly pool: CompressPool;
}

/** Opens and proves an archive and compares it with the instance. Writes nothing in root or storage, opens no live database. */
export async function planInPlace(request: InPlaceRequest, deps: Deps, cleanup: Cleanup): Promise<InPlacePlan> {
  refuseUnfinished(request.root);
  const { file, root, storage } = request;
  const pool = openPool(deps, cleanup);
  const { allowRepacked: repacked, passphrase } = request;
  const { opened, side } = await openBackupFile(file, { pool, repacked, signal: deps.signal, passphrase });
  if (opened.kind === 'damaged') throw damaged(file.location, opened.findings);
  const { reader, claims } = opened;
  cleanup.defer(() => reader.close());
  deps.progress.start('verify', reader.bytes);
  const proof = await proveContainer(reader, claims, side, (bytes) => deps.progress.advance(bytes), deps.signal);
  if (hasDamage(proof.findings)) throw damaged(file.location, proof.findings);
  if (claims.sums === undefined && !request.allowUnverified) throw unverified(file.location);
  const { manifest } = claims;
  const only = request.choose === undefined ? request.only : await request.choose(manifest);
  const merge = request.paths !== undefined;
  const units = restoreUnits({
    manifest,
    configured: request.configured,
    only,
    merge,
    root,
    storage: storage.folder === undefined ? undefined : realOrItself(storage.folder),
  });
  refusePart(manifest, units, merge);
  const matches = request.paths === undefined ? undefined : excludeMatcher(request.paths);
  const isWanted = (path: EntryPath): boolean => matches?.(path, false) ?? true;
  requireRights(units, root);
  const live = liveContent({ ...request, units, manifest, storageFolder: storage.folder });
  const space = spaceNeeds({
    manifest,
    archiveBytes: reader.bytes,
    units,
    root,
    merge,
    live,
    storageFolder: request.safetyBackup ? storage.folder : undefined,
  });
  requireSpace(space);
  const changes = request.compare ? await compareUnits({ ...request, units, opened, isWanted }, deps) : [];
  return {
    file,
    instance: request.instance,
    root,
    storage,
    excludes: request.excludes,
    configured: request.configured,
    manifest,
    id: manifest.id ?? file.name,
    units,
    merge,
    isWanted,
    changes,
    schedules: request.compare ? await scheduleDifference(units, opened, deps) : undefined,
    owner: request.owner,
    safetyBackup: request.safetyBackup,
    bytes: selectedBytes(manifest, units),
    space,
    inUse: request.compare ? databaseUsers(live) : [],
    sha256: proof.sha256,
    findings: [...opened.findings, ...proof.findings, ...(manifest.findings ?? [])],
    opened,
    pool,
  };
}

function selectedBytes(manifest: FoundManifest, units: readonly RestoreUnit[]): number | undefined {
  const named = units.map(({ source }) => manifest.sources?.find(({ name }) => name === source.name)?.bytes);
  return named.reduce<number | undefined>(
    (sum, bytes) => (bytes === undefined || sum === undefined ? undefined : sum + bytes),
    0,
  );
}

/** Looks through `/proc` alone: nothing is opened. */
function databaseUsers({ own, inside }: LiveContent): readonly FileUser[] {
  const paths = [...own.map(({ path }) => path), ...inside.map(({ absolute }) => absolute)];
  return findFileUsers(filesAt(paths)).users;
}

/** Where an entry of a unit lies in the live tree. */
export function livePath(unit: RestoreUnit, rest: string): string {
  if (rest === '') return unit.live;
  return unit.source.type === 'sqlite' ? `${unit.live}${rest}` : join(unit.live, rest);
}

export const isThere = (path: string): boolean => lookAt(path) !== undefined;
