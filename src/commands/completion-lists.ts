import { readdirSync } from 'node:fs';
import { containerOf, parseBackupId, withoutEnding, type BackupId } from '../policy/backup-name.js';
import type { GlobalOptions } from './global-options.js';
import type { CommandDeps } from './job.js';

/** More than these nobody reads. */
const mostListed = 1000;

/**
 * How the backups of a storage can be named, the newest first, by the names of its files alone: somebody waits with a finger
 * on a key. Never rejects: what cannot be found out is not offered.
 */
export async function listReferences(globals: GlobalOptions, deps: CommandDeps): Promise<readonly string[]> {
  const ids = (await storedIds(globals, deps)).toSorted((a, b) => b.time - a.time || (a.id < b.id ? 1 : -1));
  const latest = schedulesOf(ids).map((name) => `latest:${name}`);
  return ['latest', ...latest, ...ids.slice(0, mostListed).map(({ id }) => id)];
}

/** Names of schedules, as far as there are backups of theirs. Never rejects either. */
export async function listSchedules(globals: GlobalOptions, deps: CommandDeps): Promise<readonly string[]> {
  return schedulesOf(await storedIds(globals, deps));
}

interface StoredId extends BackupId {
  readonly id: string;
}

const ofPeople = new Set(['manual', 'safety']);

const schedulesOf = (ids: readonly StoredId[]): readonly string[] =>
  [...new Set(ids.map(({ origin }) => origin))].filter((origin) => !ofPeople.has(origin)).sort();

async function storedIds(globals: GlobalOptions, deps: CommandDeps): Promise<readonly StoredId[]> {
  try {
    const { findPlace } = await import('./instance.js');
    const { storage } = await findPlace(globals, deps);
    if (storage?.folder === undefined) return [];
    const archives = readdirSync(storage.folder).filter((name) => containerOf(name) !== undefined);
    return [...new Set(archives.map(withoutEnding))].flatMap((id) => {
      const parsed = parseBackupId(id);
      return parsed === undefined ? [] : [{ id, ...parsed }];
    });
  } catch (error) {
    // With -v it can be seen why nothing is offered.
    deps.output.step('not-listed', error instanceof Error ? error.message : String(error));
    return [];
  }
}
