import { setImmediate } from 'node:timers/promises';
import { ManifestTooFar, type Container } from '../archive/archive.js';
import { glanceAtZip } from '../archive/zip/glance.js';
import { ArchiveDamage } from '../base/damage.js';
import { BkpError, errorText } from '../base/errors.js';
import { concurrently } from '../base/concurrently.js';
import { parseArchiveComment } from '../manifest/archive-comment.js';
import { ofKind } from '../manifest/findings.js';
import type { FoundManifest } from '../manifest/manifest.js';
import { parseManifest } from '../manifest/parse.js';
import { containerOf, parseBackupId, withoutEnding } from '../policy/backup-name.js';
import type { Storage, StoredFile } from '../storage/storage.js';

export type BackupStatus = 'ok' | 'incomplete' | 'unproven' | 'damaged' | 'unknown';

/** One archive of a storage, as it describes itself. */
export interface ListedBackup {
  /** The manifest's id; the file's name where it has none. */
  readonly id: string;
  readonly name: string;
  /** A path. */
  readonly file: string;
  /** Undefined where the archive does not tell. */
  readonly instance: string | undefined;
  /** Made by another instance that shares the storage. */
  readonly foreign: boolean;
  /** Milliseconds since 1970: when it was made, by its manifest or id; by the file's time where it has neither. */
  readonly time: number;
  readonly bytes: number;
  readonly container: Container;
  /** Sources in it. */
  readonly includes: readonly string[];
  /** Of its snapshots it holds only this project's. */
  readonly project: string | undefined;
  readonly scopes: readonly string[];
  /** A schedule's name, `manual`, or undefined where it has no id. */
  readonly origin: string | undefined;
  /**
   * `ok`: it describes itself as complete. Only `verify` proves content. `unproven`: it says nothing by which that could
   * be done. `unknown`: it cannot be read by this version, or not in passing, or not without its passphrase.
   */
  readonly status: BackupStatus;
  readonly locked: boolean;
  readonly encrypted: boolean;
  /** How many losses an incomplete one names; 0 where it is encrypted, for they are too. */
  readonly losses: number;
  /** What its maker wrote of it; undefined where there is nothing, or it is encrypted. */
  readonly comment: string | undefined;
  /** Why it is `unproven`, `damaged` or `unknown`. */
  readonly reason: string | undefined;
}

export const lockedSuffix = '.locked';

/** All archives of a storage, newest first, read from themselves: no catalogue is needed. A bad one is an entry too. */
export async function listBackups(
  storage: Storage,
  instance: string | undefined,
  signal: AbortSignal,
): Promise<readonly ListedBackup[]> {
  const files = await storage.list();
  const names = new Set(files.map(({ name }) => name));
  const archives = files.flatMap((file) => {
    const container = containerOf(file.name);
    return container === undefined ? [] : [{ file, container }];
  });
  let looked = 0;
  const listed = await concurrently(archives, atOnce, async ({ file, container }): Promise<ListedBackup> => {
    // A storage that answers at once leaves no time in between.
    if (++looked % withoutPause === 0) await setImmediate();
    signal.throwIfAborted();
    const described = await describe(storage, file, container, signal);
    const locked = names.has(`${file.name}${lockedSuffix}`);
    const foreign = instance !== undefined && described.instance !== undefined && described.instance !== instance;
    return { ...described, locked, foreign };
  });
  return listed.toSorted((a, b) => b.time - a.time || (a.name < b.name ? 1 : -1));
}

/** Waiting for a disk is most of what it takes. */
const atOnce = 8;
/** Archives after which signals are heard. */
const withoutPause = 64;

/** The same; none where there is no storage yet. */
export async function listBackupsSoFar(
  storage: Storage,
  instance: string,
  signal: AbortSignal,
): Promise<readonly ListedBackup[]> {
  try {
    return await listBackups(storage, instance, signal);
  } catch (error) {
    if (error instanceof BkpError && error.id === 'storage-not-found') return [];
    throw error;
  }
}

type Described = Omit<ListedBackup, 'locked' | 'foreign'>;

async function describe(
  storage: Storage,
  file: StoredFile,
  container: Container,
  signal: AbortSignal,
): Promise<Described> {
  const base = baseOf(storage, file, container);
  try {
    const read = await readDescription(storage, file.name, signal);
    if (read.kind === 'encrypted') return fromComment(base, read.comment);
    const { manifest } = read;
    if (manifest === undefined)
      return { ...base, status: 'damaged', reason: 'no manifest: cut short, or not made by bkp' };
    const parsed = parseManifest(manifest);
    switch (parsed.kind) {
      case 'manifest':
        return fromManifest(base, parsed.manifest);
      case 'newer':
        return { ...base, status: 'unknown', reason: `format ${parsed.version}: made by a newer version of bkp` };
      case 'invalid':
        return { ...base, status: 'damaged', reason: `manifest: ${parsed.message}` };
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ManifestTooFar) return { ...base, status: 'unknown', reason: tooFar };
    if (error instanceof ArchiveDamage) return { ...base, status: 'damaged', reason: error.message };
    if (error instanceof BkpError) return { ...base, status: 'unknown', reason: errorText(error) };
    throw error;
  }
}

/** Bytes of content that are looked through for the manifest of an archive of another tool: about a second. */
const searchLimit = 1024 ** 3;
const tooFar = 'no manifest in its first GiB of content, and nothing tells where one lies: `bkp verify` reads it whole';

type Description =
  | { readonly kind: 'clear'; readonly manifest: Buffer | undefined }
  /** The manifest takes the passphrase; the comment does not. */
  | { readonly kind: 'encrypted'; readonly comment: string | undefined };

/** At a glance where that is enough; else by the archive's reader, which is loaded only then. */
async function readDescription(storage: Storage, name: string, signal: AbortSignal): Promise<Description> {
  const seen = storage.glance(name, glanceAtZip);
  if (seen !== undefined) return seen;
  const { openArchive } = await import('../archive/open-archive.js');
  const { callingThread } = await import('../compress/compressor.js');
  const source = await storage.open(name);
  try {
    const reader = await openArchive(source, callingThread, { signal, searchLimit });
    if (await reader.isEncrypted()) return { kind: 'encrypted', comment: reader.comment };
    return { kind: 'clear', manifest: await reader.readManifest() };
  } finally {
    await source.close();
  }
}

function baseOf(storage: Storage, file: StoredFile, container: Container): Described {
  const id = withoutEnding(file.name);
  const parsed = parseBackupId(id);
  return {
    id,
    name: file.name,
    file: `${storage.folder ?? storage.location}/${file.name}`,
    instance: undefined,
    time: parsed?.time ?? file.modified,
    bytes: file.bytes,
    container,
    includes: [],
    project: undefined,
    scopes: [],
    origin: parsed?.origin,
    status: 'ok',
    encrypted: false,
    losses: 0,
    comment: undefined,
    reason: undefined,
  };
}

function fromManifest(base: Described, manifest: FoundManifest): Described {
  const id = manifest.id ?? base.id;
  const parsed = parseBackupId(id);
  const scopes = [...new Set((manifest.sources ?? []).flatMap(({ scope }) => (scope === undefined ? [] : [scope])))];
  return {
    ...base,
    id,
    instance: manifest.instance,
    time: parsed?.time ?? Date.parse(manifest.generatedAt),
    includes: manifest.includes,
    project: manifest.project ?? undefined,
    scopes: scopes.length > 0 ? scopes : manifest.includes,
    origin: parsed?.origin,
    ...statusOf(manifest),
    losses: ofKind(manifest.findings ?? [], 'loss').length,
    comment: manifest.comment ?? undefined,
  };
}

/** By the archive's own word, as a manifest in clear is too; that the two agree is part of what `verify` proves. */
function fromComment(base: Described, text: string | undefined): Described {
  const encrypted = true;
  const comment = parseArchiveComment(text);
  if (comment === undefined) {
    const reason = 'encrypted, and its archive comment is not one of bkp: `bkp verify` tells more';
    return { ...base, encrypted, status: 'unknown', reason };
  }
  const { id, instance, generatedAt, complete, includes = [], scopes = includes } = comment;
  const parsed = parseBackupId(id);
  return {
    ...base,
    encrypted,
    id,
    instance,
    time: parsed?.time ?? Date.parse(generatedAt),
    includes,
    project: comment.project ?? undefined,
    scopes,
    origin: parsed?.origin,
    status: complete ? 'ok' : 'incomplete',
  };
}

/** The least that a manifest may say is what other tools write: nothing by which content or names could be proven. */
function statusOf({ complete, bodyHash, sources }: FoundManifest): Pick<Described, 'status' | 'reason'> {
  if (complete === false) return { status: 'incomplete', reason: undefined };
  if (bodyHash !== undefined || sources !== undefined) return { status: 'ok', reason: undefined };
  return { status: 'unproven', reason: 'its manifest names neither its sources nor a hash of its body' };
}
