import type { AskPassphrase } from '../base/passphrase.js';
import { BkpError } from '../base/errors.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Storage } from '../storage/storage.js';
import { storedBackup } from './backup-file.js';
import type { Deps } from './deps.js';
import type { ListedBackup } from './list-backups.js';
import { recordedVerify } from './recorded-verify.js';
import type { Verdict } from './verify-backup.js';

export interface ReverifyRequest {
  readonly storage: Storage;
  readonly backups: readonly ListedBackup[];
  readonly catalog: Catalog | undefined;
  readonly instance: string;
  /** Milliseconds after which no further archive is begun. */
  readonly budget: number;
  /** Undefined where nobody can be asked: encrypted ones are then left out. */
  readonly passphrase: AskPassphrase | undefined;
}

export interface Reverified {
  readonly backup: ListedBackup;
  readonly verdict: Verdict;
}

/** Milliseconds until an archive is verified again: each about once a month, however often schedules run. */
const pause = 30 * 24 * 60 * 60 * 1000;

/**
 * Proves those archives again that were proven longest ago: a disk may forget what was good once. One that was never verified
 * counts from when it was made.
 */
export async function reverify(request: ReverifyRequest, deps: Deps): Promise<readonly Reverified[]> {
  const { storage, instance, catalog, budget } = request;
  const started = deps.clock.monotonic();
  const done: Reverified[] = [];
  for (const backup of waiting(request, deps.clock.now())) {
    if (deps.clock.monotonic() - started > budget) break;
    const file = storedBackup(storage, backup.name);
    const { passphrase } = request;
    const wanted = { file, quick: false, allowRepacked: false, passphrase };
    try {
      const { verdict } = await recordedVerify(wanted, { catalog, instance }, deps);
      done.push({ backup, verdict });
    } catch (error) {
      deps.signal.throwIfAborted();
      // Removed meanwhile, or not to be opened here: the others are looked at all the same.
      if (!(error instanceof BkpError)) throw error;
      deps.step('reverify-failed', `${backup.id} could not be verified: ${error.message}`);
    }
  }
  return done;
}

/** Those whose turn it is, the one proven longest ago first. Where history cannot tell, none: it would be all, every time. */
function waiting({ backups, catalog, passphrase }: ReverifyRequest, now: number): readonly ListedBackup[] {
  const known = catalog?.verifications() ?? 'unknown';
  if (known === 'unknown') return [];
  const times = new Map(known.map(({ archive, at }) => [archive, at]));
  const timeOf = ({ name, time }: ListedBackup): number => times.get(name) ?? time;
  return backups
    .filter(({ foreign, instance, status }) => !foreign && instance !== undefined && status !== 'damaged')
    .filter(({ encrypted }) => !encrypted || passphrase !== undefined)
    .filter((backup) => now - timeOf(backup) > pause)
    .toSorted((a, b) => timeOf(a) - timeOf(b));
}
