import { realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { BkpError } from '../base/errors.js';
import type { Storage } from '../storage/storage.js';
import { findBackup } from './find-backup.js';
import { listBackups, type ListedBackup } from './list-backups.js';

export interface StoredRequest {
  /** As for `findBackup`. */
  readonly references: readonly string[];
  readonly storage: Storage;
  readonly instance: string;
  readonly cwd: string;
}

/**
 * The backups of this instance's storage that a user names, each once, in the order given. For what changes or removes them:
 * rejects with `not-in-storage` for files elsewhere, and with `foreign-backup` for those of other instances.
 */
export async function findStored(request: StoredRequest, signal: AbortSignal): Promise<readonly ListedBackup[]> {
  const { references, storage, instance, cwd } = request;
  const names = new Set<string>();
  for (const reference of references) {
    const file = await findBackup({ reference, storage, instance, cwd }, signal);
    if (file.storage === undefined && !liesIn(storage, file.location)) throw elsewhere(file.location, storage);
    names.add(file.storage === undefined ? basename(file.location) : file.name);
  }
  return namedInStorage(storage, [...names], instance, signal);
}

/** The same for names of files in the storage: what is there under them now. */
export async function namedInStorage(
  storage: Storage,
  names: readonly string[],
  instance: string,
  signal: AbortSignal,
): Promise<readonly ListedBackup[]> {
  const listed = new Map((await listBackups(storage, instance, signal)).map((backup) => [backup.name, backup]));
  const found = names.map((name) => {
    const backup = listed.get(name);
    if (backup === undefined) throw notAnArchive(name, storage);
    return backup;
  });
  const foreign = found.find((backup) => backup.foreign);
  if (foreign !== undefined) throw ofAnother(foreign, instance);
  return found;
}

/** A path may lead into the storage too. */
const liesIn = ({ folder }: Storage, path: string): boolean =>
  folder !== undefined && realpathSync.native(dirname(path)) === realpathSync.native(folder);

const elsewhere = (path: string, { location }: Storage): BkpError =>
  new BkpError('not-in-storage', `${path} does not lie in the storage ${location}`, {
    path,
    hint: 'Only backups in the storage can be locked and deleted by bkp; other files are yours.',
  });

const notAnArchive = (name: string, { location }: Storage): BkpError =>
  new BkpError('backup-not-found', `${name} is not the name of an archive in ${location}`, {
    hint: '`bkp list --all` shows what is there.',
  });

const ofAnother = ({ id, instance, file }: ListedBackup, own: string): BkpError =>
  new BkpError('foreign-backup', `${id} is a backup of ${instance ?? 'another instance'}, not of ${own}`, {
    path: file,
    hint: 'Run it with -C and the folder of that instance; backups of others are never touched.',
  });
