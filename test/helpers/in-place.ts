import { realpathSync } from 'node:fs';
import { withCleanup } from '../../src/base/cleanup.js';
import { fileBackup } from '../../src/operations/backup-file.js';
import { planInPlace, type InPlaceRequest } from '../../src/operations/plan-in-place.js';
import { recoverRestore, type RecoverResult } from '../../src/operations/recover-restore.js';
import { noHooks } from '../../src/operations/run-hooks.js';
import { restoreInPlace, type InPlaceOptions, type InPlaceResult } from '../../src/operations/restore-in-place.js';
import { deps, type Instance, type Using } from './instance.js';

export type InPlace = Partial<InPlaceRequest> & Partial<InPlaceOptions>;

/** Plans and restores over what is there, in one go. */
export function restoreOver(
  to: Instance,
  file: string,
  options: InPlace = {},
  using: Using = {},
): Promise<InPlaceResult> {
  const { safetyBackup = true, level = 1, lockWait = 0, hooks = noHooks, io, encryption, ...more } = options;
  return withCleanup(async (cleanup) => {
    const plan = await planInPlace(
      {
        ...{ file: fileBackup(file), instance: 'app', root: realpathSync(to.root), configured: to.sources },
        ...{ excludes: [], storage: to.storage, only: undefined, owner: { kind: 'target' } },
        ...{ allowUnverified: false, allowRepacked: false, safetyBackup, compare: false },
        ...more,
      } as InPlaceRequest,
      deps(using),
      cleanup,
    );
    const sealed = encryption === undefined ? {} : { encryption };
    const options = { level, lockWait, hooks, ...(io === undefined ? {} : { io }), ...sealed };
    return restoreInPlace(plan, options, deps(using));
  });
}

export const recoverIn = (to: Instance): Promise<RecoverResult> =>
  recoverRestore({ root: realpathSync(to.root), configured: to.sources, storage: to.storage, lockWait: 0 }, deps());
