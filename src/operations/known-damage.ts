import type { Catalog } from '../catalog/catalog.js';
import type { ListedBackup } from './list-backups.js';

/** Archives that a verification found damaged; none where the catalogue cannot tell. */
export function knownBadArchives(catalog: Catalog | undefined): ReadonlySet<string> {
  const verifications = catalog?.verifications() ?? [];
  if (verifications === 'unknown') return new Set();
  return new Set(verifications.filter(({ verdict }) => verdict === 'damaged').map(({ archive }) => archive));
}

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
