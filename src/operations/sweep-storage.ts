import { isKnownEntriesName } from '../archive/known/known-entries-file.js';
import { BkpError } from '../base/errors.js';
import type { Storage } from '../storage/storage.js';
import { removeDeadStaging } from '../fs/staging.js';
import { sideSuffix } from '../manifest/side-file.js';
import { containerOf, parseBackupId, withoutEnding } from '../policy/backup-name.js';
import type { Deps } from './deps.js';
import { lockedSuffix } from './list-backups.js';

/**
 * Removes what killed runs left in a storage: partial archives, private copies of databases, side files without an archive.
 * Only while its lock is held. Gives the names of what is there now.
 */
export async function sweepStorage(storage: Storage, deps: Deps): Promise<readonly string[]> {
  for (const name of await storage.removeDeadPartials(isOwnFile)) {
    deps.step('leftover-removed', `removed ${name} of a dead run`);
  }
  const parent = storage.folder ?? deps.temporaryFolder;
  const swept = await removeDeadStaging(parent, deps.clock, (name) => parseBackupId(name) !== undefined);
  for (const path of swept.removed) deps.step('leftover-removed', `removed ${path} of a dead run`);
  for (const { message } of swept.failures) deps.step('leftover-kept', message);
  const names = (await storage.list()).map(({ name }) => name);
  const orphans = names.filter((name) => isOrphan(name, names));
  for (const side of orphans) {
    await storage.remove(side);
    deps.step('leftover-removed', `removed ${side}, whose archive was never finished`);
  }
  return names.filter((name) => !orphans.includes(name));
}

/** The same, where something else is the matter: what cannot be removed now, the next backup tries again. */
export async function sweepQuietly(storage: Storage, deps: Deps): Promise<void> {
  try {
    await sweepStorage(storage, deps);
  } catch (error) {
    if (!(error instanceof BkpError)) throw error;
    deps.step('leftover-kept', error.message);
  }
}

/** The side file of a run that was killed before its archive had its name; files of other names are not ours. */
function isOrphan(name: string, names: readonly string[]): boolean {
  if (!name.endsWith(sideSuffix)) return false;
  const archive = name.slice(0, -sideSuffix.length);
  return isOwnArchive(archive) && !names.includes(archive);
}

const isOwnArchive = (name: string): boolean =>
  containerOf(name) !== undefined && parseBackupId(withoutEnding(name)) !== undefined;

/** Whether runs of bkp write files of that name into a storage: archives, what lies beside them, and what is remembered of them. */
function isOwnFile(name: string): boolean {
  if (isKnownEntriesName(name)) return true;
  const suffix = [sideSuffix, lockedSuffix].find((one) => name.endsWith(one)) ?? '';
  return isOwnArchive(name.slice(0, name.length - suffix.length));
}
