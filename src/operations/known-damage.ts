import type { Catalog } from '../catalog/catalog.js';
import type { ListedBackup } from './list-backups.js';
import { knownBadArchives } from './prune-backups.js';

/** The same backups, those as damaged that a verification found to be so, whatever they say of themselves. */
export function withKnownDamage(
  listed: readonly ListedBackup[],
  catalog: Catalog | undefined,
): readonly ListedBackup[] {
  const knownBad = knownBadArchives(catalog);
  const reason = 'a verification found it damaged: `bkp verify` tells what is wrong';
  return listed.map((backup) =>
    knownBad.has(backup.name) && backup.status !== 'damaged' ? { ...backup, status: 'damaged', reason } : backup,
  );
}
