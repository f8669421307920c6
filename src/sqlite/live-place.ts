import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ioError, systemCode } from '../base/errors.js';
import { inspectDatabase, type DatabaseFile } from './database-file.js';
import { fileId, type FileId, type HeldFiles } from './held-files.js';
import type { LiveFile } from './member.js';
import { dataBeside, sidecarsOf, type Sidecar } from './sidecars.js';

/** What lies at a path where a database is expected, before anything is locked by this look. */
export interface LivePlace {
  readonly name: string;
  /** Without symbolic links; sidecars lie beside it. */
  readonly path: string;
  /** Undefined where nothing lies, or nothing that is a regular file. */
  readonly id: FileId | undefined;
  /** `held`: open in this process already, and not looked into. */
  readonly file: DatabaseFile | { readonly kind: 'held' };
}

export async function lookAt(
  name: string,
  given: string,
  held: HeldFiles,
  names: ReadonlySet<string>,
): Promise<LivePlace> {
  const path = await placeOf(given);
  const id = await idAt(path);
  if (id !== undefined && held.has(id)) return { name, path, id, file: { kind: 'held' } };
  const file = await inspectDatabase(path, held, names);
  return { name, path, id, file: file.kind === 'database' ? keptFromSqlite(file) : file };
}

/** A path without symbolic links; only its folder has to exist. */
export async function placeOf(given: string): Promise<string> {
  try {
    return await realpath(given);
  } catch (error) {
    if (!isMissing(error)) throw ioError('looking at', given, error);
  }
  try {
    return join(await realpath(dirname(given)), basename(given));
  } catch (error) {
    if (!isMissing(error)) throw ioError('looking at', given, error);
    return given;
  }
}

/** Which regular file lies at a path now. */
export async function idAt(path: string): Promise<FileId | undefined> {
  try {
    const stats = await stat(path, { bigint: true });
    return stats.isFile() ? fileId(stats) : undefined;
  } catch (error) {
    if (!isMissing(error)) throw ioError('looking at', path, error);
    return undefined;
  }
}

/** SQLite deletes the `-wal` and the `-journal` of an empty file without a look at what they hold (measured). */
function keptFromSqlite(file: DatabaseFile & { readonly kind: 'database' }): DatabaseFile {
  const { path, id, size } = file;
  const kept = size === 0 ? dataBeside(path)[0] : undefined;
  if (kept === undefined) return file;
  return { kind: 'noise', path, id, reason: `${path} is empty, yet ${basename(kept.path)} beside it is not` };
}

function isMissing(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Databases and their sidecars by file. */
export function filesOf(looks: readonly LivePlace[]): Map<FileId, string> {
  const files = new Map<FileId, string>();
  for (const { path, id } of looks) {
    for (const sidecar of sidecarsOf(path)) files.set(sidecar.id, path);
    if (id !== undefined) files.set(id, path);
  }
  return files;
}

/**
 * Each file once. Of two names of one file, the one whose sidecars hold something is the one that was in use; SQLite finds
 * them by name. Those with a journal last: locking them may have to roll it back, which a refusal would come too late for.
 */
export function inOrderOfLocking(looks: readonly LivePlace[]): LiveFile[] {
  const files = new Map<FileId, { readonly file: LiveFile; readonly data: readonly Sidecar[] }>();
  for (const { file } of looks) {
    if (file.kind !== 'database') continue;
    const data = dataBeside(file.path);
    const known = files.get(file.id);
    if (known === undefined || (known.data.length === 0 && data.length > 0)) files.set(file.id, { file, data });
  }
  const hasJournal = (data: readonly Sidecar[]): number => (data.some(({ suffix }) => suffix === '-journal') ? 1 : 0);
  return [...files.values()].sort((a, b) => hasJournal(a.data) - hasJournal(b.data)).map(({ file }) => file);
}
