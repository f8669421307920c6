import { existsSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { ByteSink, ByteSource } from '../base/byte-source.js';
import type { Cleanup } from '../base/cleanup.js';
import { BkpError, never } from '../base/errors.js';
import type { Container } from '../archive/archive.js';
import { PartialFile, partialPath, writeFileDurably } from '../fs/partial-file.js';
import { openByteSource } from '../fs/random-access.js';
import { createStaging } from '../fs/staging.js';
import { sideFileText, sideSuffix } from '../manifest/side-file.js';
import { archiveName, freeBackupId } from '../policy/backup-name.js';
import type { BackupEncryption } from './create-request.js';
import { openPrivateStaging, removeDeadPrivateStaging, type PrivateStaging } from './private-staging.js';
import type { Storage, StoragePartial } from '../storage/storage.js';
import type { Deps } from './deps.js';
import { openAsStream } from './stream-destination.js';
import { sweepStorage } from './sweep-storage.js';

/** Where a backup goes: into the storage under its id; into a file the user names, or a stream, which are no runs of their own. */
export type Destination =
  | { readonly kind: 'storage'; readonly storage: Storage; readonly container: Container }
  | { readonly kind: 'file'; readonly path: string; readonly storage: Storage; readonly container: Container }
  /** To a reader who takes it as it comes. */
  | {
      readonly kind: 'stream';
      /** For one archive. */
      readonly open: () => ByteSink;
      /** The file that it is sent to, where that is known: left out of sources, as the storage is. */
      readonly file: string | undefined;
      readonly storage: Storage;
      readonly container: Container;
    };

/** An archive on its way: written aside, read back, then published with its side file. */
export interface OpenDestination {
  readonly id: string;
  /** For people. */
  readonly file: string;
  /** The file's own name. */
  readonly name: string;
  /** Private, empty, removed when the run ends. */
  readonly staging: string;
  /** Folders that no source may take in. */
  readonly folders: readonly string[];
  readonly partial: StoragePartial;
  /** Writes the side file, then gives the archive its name. */
  publish(sha256: string): Promise<void>;
}

export interface DestinationRequest {
  readonly destination: Destination;
  readonly origin: string;
  /** Of the instance. */
  readonly root: string;
  /** Then nothing in clear may come to lie beside the archive. */
  readonly encryption?: BackupEncryption;
  /** Undefined where the lock is held already. */
  readonly holder: string | undefined;
  readonly lockWait: number;
}

/** Takes the lock, removes what dead runs left, and opens the partial file. Everything is undone through `cleanup`. */
export async function openDestination(
  request: DestinationRequest,
  deps: Deps,
  cleanup: Cleanup,
): Promise<OpenDestination> {
  const { destination } = request;
  // A stream leaves nothing beside the data, and takes nothing away there.
  if (destination.kind !== 'stream') await removeDeadPrivateStaging(request.root, deps);
  switch (destination.kind) {
    case 'storage':
      return openInStorage(destination.storage, destination.container, request, deps, cleanup);
    case 'file':
      return openAsFile(destination.path, destination.storage, request, deps, cleanup);
    case 'stream':
      return openAsStream(destination, request.origin, deps, cleanup);
    default:
      return never(destination);
  }
}

async function openInStorage(
  storage: Storage,
  container: Container,
  request: DestinationRequest,
  deps: Deps,
  cleanup: Cleanup,
): Promise<OpenDestination> {
  await storage.prepare();
  await takeLock(storage, request, deps, cleanup);
  const parent = storage.folder ?? deps.temporaryFolder;
  const names = await sweepStorage(storage, deps);
  const id = freeBackupId(deps.clock.now(), request.origin, names);
  const name = archiveName(id, container);
  const { path: staging, own } = await openStaging(parent, id, request, deps, cleanup);
  const partial = await storage.createPartial(name);
  cleanup.defer(() => partial.discard());
  const publish = (sha256: string): Promise<void> => publishInStorage(storage, partial, name, sha256);
  const file = storage.folder === undefined ? `${storage.location}/${name}` : `${storage.folder}/${name}`;
  const folders = storage.folder === undefined ? own : [storage.folder, ...own];
  return { id, file, name, staging, folders, partial, publish };
}

async function openStaging(
  parent: string,
  id: string,
  { root, encryption }: DestinationRequest,
  deps: Deps,
  cleanup: Cleanup,
): Promise<PrivateStaging> {
  if (encryption !== undefined) return openPrivateStaging(root, deps, cleanup);
  const staging = await createStaging(parent, id, deps.clock);
  cleanup.defer(() => staging.close());
  return { path: staging.path, own: [] };
}

/** Writes the side file, then gives the archive its name. */
export async function publishInStorage(
  storage: Storage,
  partial: StoragePartial,
  name: string,
  sha256: string,
): Promise<void> {
  const side = `${name}${sideSuffix}`;
  await storage.writeSide(side, Buffer.from(sideFileText(sha256, name)));
  await partial.publish().catch(async (error: unknown) => {
    // Where the archive has its name already, only syncing its folder failed: it stays what its side file proves.
    if ((await storage.stat(name)) === undefined) await storage.remove(side);
    throw error;
  });
}

async function openAsFile(
  path: string,
  storage: Storage,
  request: DestinationRequest,
  deps: Deps,
  cleanup: Cleanup,
): Promise<OpenDestination> {
  const side = `${path}${sideSuffix}`;
  for (const existing of [path, side].filter((file) => existsSync(file))) throw outputExists(existing);
  const parent = dirname(path);
  if (!existsSync(parent)) {
    throw new BkpError('output-unwritable', `the folder ${parent} does not exist`, {
      path: parent,
      hint: 'Create it first.',
    });
  }
  // Another run on the same storage would copy the same databases; where there is no storage yet there is no such run.
  if (storage.folder !== undefined && existsSync(storage.folder)) await tryLock(storage, request, deps, cleanup);
  const name = basename(path);
  // Whoever writes the partial file holds the staging folder's lock: only where a dead run left that, it is removed too.
  const staging = await createStaging(parent, name, deps.clock, [partialPath(path)]);
  cleanup.defer(() => staging.close());
  const file = await PartialFile.create(partialPath(path));
  const partial: StoragePartial = {
    write: (bytes) => file.write(bytes),
    truncate: (size) => file.truncate(size),
    sync: () => file.sync(),
    open: (): Promise<ByteSource> => openByteSource(file.path),
    publish: () => file.publish(path, { overwrite: false }),
    discard: () => file.discard(),
  };
  cleanup.defer(() => partial.discard());
  const publish = async (sha256: string): Promise<void> => {
    await writeFileDurably(side, Buffer.from(sideFileText(sha256, name)), 0o600, { overwrite: false });
    await partial.publish().catch((error: unknown) => {
      // What has the name now is our archive, unless it was there before: then the side file proves nothing.
      const isForeign = error instanceof BkpError && error.id === 'output-exists';
      if (isForeign || !existsSync(path)) rmSync(side, { force: true });
      throw error;
    });
  };
  const id = freeBackupId(deps.clock.now(), request.origin, []);
  // The staging folder's lock lies beside it, and has a journal at times: a database that we hold ourselves.
  const own = ['', '.lock', '.lock-journal'].map((suffix) => `${staging.path}${suffix}`);
  const apart = request.encryption === undefined ? undefined : await openPrivateStaging(request.root, deps, cleanup);
  const folders = [storage.folder, file.path, path, ...own, ...(apart?.own ?? [])].filter(
    (folder) => folder !== undefined,
  );
  return { id, file: path, name, staging: apart?.path ?? staging.path, folders, partial, publish };
}

const outputExists = (path: string): BkpError =>
  new BkpError('output-exists', `${path} exists already`, {
    path,
    hint: 'Nothing is overwritten: choose another name, or move that file away.',
  });

async function takeLock(storage: Storage, request: DestinationRequest, deps: Deps, cleanup: Cleanup): Promise<void> {
  const { holder, lockWait } = request;
  if (holder === undefined) return;
  const lock = await storage.lock({ holder, wait: lockWait, clock: deps.clock, signal: deps.signal });
  cleanup.defer(() => lock.release());
}

/** For a file elsewhere: who may not write to the storage cannot lock it either, and a run there does not hinder him. */
async function tryLock(storage: Storage, request: DestinationRequest, deps: Deps, cleanup: Cleanup): Promise<void> {
  try {
    await takeLock(storage, request, deps, cleanup);
  } catch (error) {
    if (!(error instanceof BkpError) || error.id !== 'storage-unwritable') throw error;
    deps.step('lock-left-out', `${error.message}; going on without its lock, for nothing is written there`);
  }
}
