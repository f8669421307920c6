import { exitCodes } from '../base/exit-codes.js';
import type { Catalog } from '../catalog/catalog.js';
import { hasLoss } from '../manifest/findings.js';
import type { Deps } from './deps.js';
import type { InPlacePlan } from './plan-in-place.js';
import { recordedRun } from './recorded-run.js';
import { restoreInPlace, type InPlaceOptions, type InPlaceResult } from './restore-in-place.js';

/** A restore in place that the catalogue remembers. */
export function recordedRestore(
  plan: InPlacePlan,
  options: InPlaceOptions,
  catalog: Catalog | undefined,
  deps: Deps,
): Promise<InPlaceResult> {
  const { id: backup, instance } = plan;
  const work = (own: Deps): Promise<InPlaceResult> => restoreInPlace(plan, options, own);
  return recordedRun(catalog, { kind: 'restore', instance }, deps, work, ({ files, findings }) => ({
    exitCode: hasLoss(findings) ? exitCodes.incomplete : exitCodes.done,
    backup,
    files,
    findings,
  }));
}
