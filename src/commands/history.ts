import type { Catalog } from '../catalog/catalog.js';
import type { Place } from './instance.js';
import type { CommandDeps } from './job.js';

/**
 * Does `work` with the history of an instance's storage; without one where no instance is known (somebody looks into a folder)
 * or nothing may be written there.
 */
export async function withHistory<T>(
  { config, storage }: Pick<Place, 'config' | 'storage'>,
  deps: CommandDeps,
  work: (catalog: Catalog | undefined) => Promise<T>,
): Promise<T> {
  if (config === undefined || storage === undefined || config.readOnly) return work(undefined);
  const { withCatalog } = await import('../operations/recorded-run.js');
  const { operationDeps } = await import('./operation-deps.js');
  return withCatalog(storage, operationDeps(deps), work);
}
