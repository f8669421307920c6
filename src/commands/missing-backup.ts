import { BkpError } from '../base/errors.js';
import { listBackups } from '../operations/list-backups.js';
import { missingBackups } from '../operations/remembered-backups.js';
import { withHistory } from './history.js';
import type { Place } from './instance.js';
import type { CommandDeps } from './job.js';

/** What to say of a reference that fits no archive, but one that `list` shows as missing; undefined where there is none. */
export async function missingError(
  reference: string,
  { config, storage }: Pick<Place, 'config' | 'storage'>,
  deps: CommandDeps,
): Promise<BkpError | undefined> {
  if (config === undefined || storage === undefined || reference === '') return undefined;
  const { instance } = config;
  const listed = await listBackups(storage, instance, deps.signal);
  const missing = await withHistory({ config, storage }, deps, (catalog) =>
    Promise.resolve(missingBackups(catalog, instance, listed)),
  );
  const id = missing.find((one) => one.startsWith(reference));
  if (id === undefined) return undefined;
  return new BkpError('backup-not-found', `the file of ${id} is missing: it was made, and nobody deleted it`, {
    hint: `Put a copy of it back into ${storage.location}, or let \`bkp delete ${id}\` forget it.`,
  });
}
