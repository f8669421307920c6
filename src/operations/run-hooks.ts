import { withCleanup } from '../base/cleanup.js';
import { BkpError } from '../base/errors.js';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import type { Finding } from '../manifest/findings.js';

/** What hooks are told of a run from its beginning. */
export interface HookedRun {
  /** Of the backup that is made or restored; empty where there is none yet. */
  readonly id: string;
  /** The archive, which may not be there (yet); empty where that is not known. */
  readonly file: string;
  /** Where the commands are run. */
  readonly root: string;
}

/** How a run ended: what hooks are told. */
export interface RunOutcome {
  /** `incomplete`: it came to its end, and something is lacking. */
  readonly status: 'done' | 'incomplete' | 'failed';
  readonly exitCode: ExitCode;
}

/** Commands of the configuration around one run. */
export interface RunHooks {
  /** Whether `before` has something to do: stop the application, or make it hold still. */
  readonly quiesces: boolean;
  /** Stops the application; a failure ends the run before anything is touched. */
  before(run: HookedRun): Promise<void>;
  /**
   * Starts it again, however the run ended; does nothing where `before` was not begun. Rejects only where the run failed too:
   * after one that did not, a failure is among `findings`.
   */
  after(run: HookedRun, outcome: RunOutcome): Promise<void>;
  /** The very last, always; tells of a failure first where there was one. Rejects as `after` does. */
  last(run: HookedRun, outcome: RunOutcome): Promise<void>;
  /** Notes on hooks that failed so far. */
  readonly findings: readonly Finding[];
}

export const noHooks: RunHooks = {
  quiesces: false,
  before: () => Promise.resolve(),
  after: () => Promise.resolve(),
  last: () => Promise.resolve(),
  findings: [],
};

interface Found {
  readonly findings: readonly Finding[];
}

/**
 * Does all of a run, and then what comes very last. The result's findings get the notes on hooks that failed. `run`: what is known
 * beforehand; hooks that `before` told more know more.
 */
export async function withLastHooks<T extends Found>(
  hooks: RunHooks,
  run: HookedRun,
  work: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const result = await tellOutcome(work, (outcome) => hooks.last(run, outcome), signal);
  return { ...result, findings: [...result.findings, ...hooks.findings] };
}

/** Does the work, then tells how it ended. A failure of `told` joins that of the work. */
export function tellOutcome<T extends Found>(
  work: () => Promise<T>,
  told: (outcome: RunOutcome) => Promise<void>,
  signal: AbortSignal,
): Promise<T> {
  return withCleanup(async (cleanup) => {
    let outcome: RunOutcome = { status: 'failed', exitCode: exitCodes.failed };
    cleanup.defer(() => told(outcome));
    try {
      const result = await work();
      const { done, incomplete } = exitCodes;
      outcome = isLacking(result) ? { status: 'incomplete', exitCode: incomplete } : { status: 'done', exitCode: done };
      return result;
    } catch (error) {
      // Whatever an abort makes fail, the run ends with its reason.
      const cause: unknown = signal.aborted ? signal.reason : error;
      if (cause instanceof BkpError) outcome = { status: 'failed', exitCode: cause.exitCode };
      throw error;
    }
  });
}

const isLacking = ({ findings }: Found): boolean => findings.some(({ kind }) => kind === 'loss' || kind === 'fault');
