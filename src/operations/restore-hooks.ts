import { withCleanup } from '../base/cleanup.js';
import { BkpError } from '../base/errors.js';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import { hasLoss, type Finding } from '../manifest/findings.js';
import type { InPlacePlan } from './plan-in-place.js';

/** How a restore ended: what hooks are told. */
export interface RestoreEnding {
  /** `incomplete`: all that the backup holds was restored, and it lacks something. */
  readonly status: 'done' | 'incomplete' | 'failed';
  readonly exitCode: ExitCode;
}

/** Commands of the configuration around a restore. */
export interface RestoreHooks {
  /** Stops the application; a failure ends the restore before anything is touched. */
  beforeRestore(plan: InPlacePlan): Promise<void>;
  /**
   * Starts it again, however the restore ended; does nothing where `beforeRestore` was not begun. Rejects only where the
   * restore failed too: after one that succeeded, a failure is among `findings`.
   */
  afterRestore(plan: InPlacePlan, ending: RestoreEnding): Promise<void>;
  /** The very last, always; rejects as `afterRestore` does. */
  finally(plan: InPlacePlan, ending: RestoreEnding): Promise<void>;
  /** Notes on hooks that failed so far. */
  readonly findings: readonly Finding[];
}

export const noHooks: RestoreHooks = {
  beforeRestore: () => Promise.resolve(),
  afterRestore: () => Promise.resolve(),
  finally: () => Promise.resolve(),
  findings: [],
};

/** Does the work, then tells how it ended. A failure of `told` joins that of the work. */
export function tellEnding<T extends { readonly findings: readonly Finding[] }>(
  work: () => Promise<T>,
  told: (ending: RestoreEnding) => Promise<void>,
  signal: AbortSignal,
): Promise<T> {
  return withCleanup(async (cleanup) => {
    let ending: RestoreEnding = { status: 'failed', exitCode: exitCodes.failed };
    cleanup.defer(() => told(ending));
    try {
      const result = await work();
      const { done, incomplete } = exitCodes;
      ending = hasLoss(result.findings)
        ? { status: 'incomplete', exitCode: incomplete }
        : { status: 'done', exitCode: done };
      return result;
    } catch (error) {
      // Whatever an abort makes fail, the run ends with its reason.
      const cause: unknown = signal.aborted ? signal.reason : error;
      if (cause instanceof BkpError) ending = { status: 'failed', exitCode: cause.exitCode };
      throw error;
    }
  });
}
