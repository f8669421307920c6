import { BkpError } from '../base/errors.js';
import type { SqliteChild } from '../sqlite/client.js';
import { createBackup, type CreateResult } from './create-backup.js';
import type { BackupEncryption, CreateRequest } from './create-request.js';
import type { Deps } from './deps.js';
import type { HeldDatabases } from './held-databases.js';
import { lockedSuffix } from './list-backups.js';
import type { InPlacePlan } from './plan-in-place.js';
import type { SafetyList } from './safety-list.js';

export interface SafetyRequest {
  readonly plan: InPlacePlan;
  /** 0 to 9. */
  readonly level: number;
  readonly held: HeldDatabases;
  readonly child: SqliteChild;
  /** Undefined: as the restored backup is encrypted, with its passphrase. */
  readonly encryption: BackupEncryption | undefined;
  /** Told of all that went in. */
  readonly list: SafetyList;
}

export interface SafetyBackup extends CreateResult {
  /** It is the first one in the storage. */
  readonly locked: boolean;
}

/**
 * Backs up what is there now, through the connections that hold it; the first one is locked. Nothing there at all is no
 * reason to stop: undefined. Rejects as `createBackup` does.
 */
export async function makeSafety(request: SafetyRequest, deps: Deps): Promise<SafetyBackup | undefined> {
  const { plan, level, held, child, list } = request;
  const names = new Set(plan.units.map(({ source }) => source.name));
  const databases = new Set([
    ...plan.units.filter(({ source }) => source.type === 'sqlite').map(({ live }) => live),
    ...held.databases.map(({ absolute }) => absolute),
  ]);
  const earlier = (await plan.storage.list()).some(({ name }) => /-safety\.(?:zip|tar\.gz)$/.test(name));
  try {
    const made = await createBackup(
      {
        instance: plan.instance,
        root: plan.root,
        sources: plan.configured.filter(({ name }) => names.has(name)),
        others: plan.configured.filter(({ name }) => !names.has(name)),
        leftOut: plan.configured.filter(({ name }) => !names.has(name)).map(({ name }) => name),
        excludes: plan.excludes,
        destination: { kind: 'storage', storage: plan.storage, container: 'zip' },
        level,
        maxPause: 'none',
        origin: 'safety',
        comment: `before restoring ${plan.id}`,
        // The storage is locked already.
        lockWait: 0,
        quickCheck: false,
        full: true,
        ...encryptionOf(request),
      },
      deps,
      { child, databases: held.databases, archived: (path, stat) => list.add(path, stat, databases.has(path)) },
    );
    if (!earlier) await plan.storage.writeSide(`${made.id}.zip${lockedSuffix}`, Buffer.alloc(0));
    return { ...made, locked: !earlier };
  } catch (error) {
    if (error instanceof BkpError && error.id === 'nothing-readable') return undefined;
    throw error;
  }
}

/** What was encrypted must not come to lie in the storage in clear. */
function encryptionOf({ plan, encryption }: SafetyRequest): Pick<CreateRequest, 'encryption'> {
  if (encryption !== undefined) return { encryption };
  const { opened, manifest } = plan;
  const { passphrase } = opened;
  return passphrase === undefined ? {} : { encryption: { passphrase, hint: manifest.encryption.hint } };
}
