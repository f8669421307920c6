import { BkpError, errorText, systemCode } from '../base/errors.js';
import type { Check, CheckDeps, Instance, Outcome, Subject, Verdict } from './doctor/check.js';
import { clock } from './doctor/clock-check.js';
import { configuration } from './doctor/configuration.js';
import { cron } from './doctor/cron.js';
import { scanData } from './doctor/data-scan.js';
import { freeSpace } from './doctor/free-space.js';
import { leftovers } from './doctor/leftovers.js';
import { longPause } from './doctor/long-pause.js';
import { nodeVersion } from './doctor/node-version.js';
import { passphraseFile } from './doctor/passphrase-file.js';
import { root } from './doctor/root.js';
import { sources } from './doctor/sources.js';
import { sqliteModule } from './doctor/sqlite-module.js';
import { storage } from './doctor/storage-check.js';
import { storageDevice } from './doctor/storage-device.js';
import { uncoveredData } from './doctor/uncovered-data.js';
import { unfinishedRestore } from './doctor/unfinished.js';
import { withoutExcluded } from './excluded-sources.js';

export interface Checked extends Outcome {
  /** Of the check. */
  readonly id: string;
}

/** In the order they are told. */
const ofInstance: readonly Check<Subject>[] = [
  ...[configuration, root, sources, uncoveredData, longPause],
  ...[storage, storageDevice, freeSpace, leftovers],
  ...[unfinishedRestore, passphraseFile, clock],
];
const ofMachine: readonly Check<unknown>[] = [nodeVersion, sqliteModule, cron];

/** Looks at what a backup needs. Writes nothing, opens no database. `instance`: undefined where none could be told. */
export async function checkSurroundings(instance: Instance | undefined, deps: CheckDeps): Promise<readonly Checked[]> {
  const checked = instance === undefined ? [] : [...(await checkInstance(instance, deps))];
  for (const check of ofMachine) checked.push(...(await outcomes(check, undefined, deps)));
  return checked;
}

async function checkInstance(configured: Instance, deps: CheckDeps): Promise<readonly Checked[]> {
  try {
    const instance = withoutExcluded(configured);
    const scan = scanData({ ...instance, storage: instance.storage.folder }, deps.signal);
    const checked: Checked[] = [];
    for (const check of ofInstance) checked.push(...(await outcomes(check, { ...instance, scan }, deps)));
    return checked;
  } catch (error) {
    deps.signal.throwIfAborted();
    return [notChecked(sources.id, error)];
  }
}

export function worst(checked: readonly Outcome[]): Verdict {
  if (checked.some(({ verdict }) => verdict === 'fail')) return 'fail';
  return checked.some(({ verdict }) => verdict === 'warn') ? 'warn' : 'ok';
}

async function outcomes<About>(check: Check<About>, about: About, deps: CheckDeps): Promise<readonly Checked[]> {
  deps.signal.throwIfAborted();
  try {
    return (await check.run(about, deps)).map((outcome) => ({ id: check.id, ...outcome }));
  } catch (error) {
    deps.signal.throwIfAborted();
    return [notChecked(check.id, error)];
  }
}

/** What cannot even be looked at is a fault of the surroundings; anything else that is thrown is a bug. */
function notChecked(id: string, error: unknown): Checked {
  if (error instanceof BkpError) {
    const { message, hint = 'Mend that first.', path } = error;
    return { id, verdict: 'fail', message, hint, ...(path === undefined ? {} : { path }) };
  }
  if (systemCode(error) === undefined) throw error;
  return { id, verdict: 'fail', message: `could not be checked: ${errorText(error)}`, hint: 'Mend that first.' };
}
