import { readdirSync, statSync } from 'node:fs';
import { errorText } from '../base/errors.js';
import type { Config } from '../config/config.js';
import { containerOf, parseBackupId, withoutEnding, type BackupId } from '../policy/backup-name.js';
import type { Storage } from '../storage/storage.js';
import type { GlobalOptions } from './global-options.js';
import type { Place } from './instance.js';
import type { CommandDeps } from './job.js';

/** More than these nobody reads. */
const mostListed = 1000;

/**
 * How the backups of a storage can be named, the newest first, by the names of its files alone: somebody waits with a finger
 * on a key. Never rejects: what cannot be found out is not offered.
 */
export async function listReferences(globals: GlobalOptions, deps: CommandDeps): Promise<readonly string[]> {
  const { storage } = await placeOf(globals, deps);
  const ids = storedIds(storage, deps).toSorted((a, b) => b.time - a.time || (a.id < b.id ? 1 : -1));
  const latest = originsOf(ids).map((name) => `latest:${name}`);
  return ['latest', ...latest, ...ids.slice(0, mostListed).map(({ id }) => id)];
}

/** Names of schedules: those that are set, and those that backups are of. Never rejects either. */
export async function listSchedules(globals: GlobalOptions, deps: CommandDeps): Promise<readonly string[]> {
  const { config, storage } = await placeOf(globals, deps);
  const set = config === undefined || storage === undefined ? [] : await setSchedules(config, storage, deps);
  return [...new Set([...set, ...originsOf(storedIds(storage, deps))])].sort();
}

/** Bytes of a database that is copied to look into it, and milliseconds that may take. */
const largestCopied = 64 * 1024 ** 2;
const longestLook = 2000;

async function setSchedules(config: Config, storage: Storage, deps: CommandDeps): Promise<readonly string[]> {
  try {
    const { schedulesOf } = await import('./instance-schedules.js');
    const { parseSchedules } = await import('../operations/schedules.js');
    const { operationDeps } = await import('./operation-deps.js');
    const signal = AbortSignal.any([deps.signal, AbortSignal.timeout(longestLook)]);
    const store = schedulesOf({ config, storage }, { ...operationDeps(deps), signal });
    if ((statSync(store.location, { throwIfNoEntry: false })?.size ?? 0) > largestCopied) return [];
    const { valid, invalid } = parseSchedules(await store.look());
    return [...valid, ...invalid].flatMap(({ name }) => (name === undefined ? [] : [name]));
  } catch (error) {
    tell(error, deps);
    return [];
  }
}

interface StoredId extends BackupId {
  readonly id: string;
}

const ofPeople = new Set(['manual', 'safety']);

const originsOf = (ids: readonly StoredId[]): readonly string[] =>
  [...new Set(ids.map(({ origin }) => origin))].filter((origin) => !ofPeople.has(origin)).sort();

async function placeOf(globals: GlobalOptions, deps: CommandDeps): Promise<Partial<Pick<Place, 'config' | 'storage'>>> {
  try {
    const { findPlace } = await import('./instance.js');
    return await findPlace(globals, deps);
  } catch (error) {
    tell(error, deps);
    return {};
  }
}

function storedIds(storage: Storage | undefined, deps: CommandDeps): readonly StoredId[] {
  try {
    if (storage?.folder === undefined) return [];
    const archives = readdirSync(storage.folder).filter((name) => containerOf(name) !== undefined);
    return [...new Set(archives.map(withoutEnding))].flatMap((id) => {
      const parsed = parseBackupId(id);
      return parsed === undefined ? [] : [{ id, ...parsed }];
    });
  } catch (error) {
    tell(error, deps);
    return [];
  }
}

/** With -v it can be seen why nothing is offered. */
function tell(error: unknown, { output }: CommandDeps): void {
  output.step('not-listed', errorText(error));
}
