import { BkpError } from '../base/errors.js';
import { finding, type Finding } from '../manifest/findings.js';
import { runHook, shownCommand, type HookCommand, type HookResult } from '../system/hooks.js';
import type { Deps } from './deps.js';
import type { HookedRun, RunHooks, RunOutcome } from './run-hooks.js';

/** The commands of a configuration, run in the root. */
export interface HookSettings {
  readonly beforeCreate?: HookCommand;
  readonly afterCreate?: HookCommand;
  readonly beforeRestore?: HookCommand;
  readonly afterRestore?: HookCommand;
  /** Around both: where it failed or lacks something, and always. */
  readonly onFailure?: HookCommand;
  readonly finally?: HookCommand;
  /** Milliseconds, of each. */
  readonly timeout: number;
}

type HookEvent = Exclude<keyof HookSettings, 'timeout'>;

const events = {
  create: { before: 'beforeCreate', after: 'afterCreate', nothing: 'No backup was made.' },
  restore: { before: 'beforeRestore', after: 'afterRestore', nothing: 'Nothing was restored.' },
} as const satisfies Record<string, { before: HookEvent; after: HookEvent; nothing: string }>;

/**
 * Hooks that run the commands of a configuration; for one run. `before` rejects with `hook-failed`, or with the signal's
 * reason, which also ends a command under way. The others run to their end or their timeout whatever was aborted.
 */
export function configuredHooks(
  settings: HookSettings,
  deps: Pick<Deps, 'signal' | 'step'>,
  around: keyof typeof events = 'restore',
): RunHooks {
  return new ConfiguredHooks(settings, deps, around);
}

class ConfiguredHooks implements RunHooks {
  readonly #settings: HookSettings;
  readonly #deps: Pick<Deps, 'signal' | 'step'>;
  readonly #events: (typeof events)[keyof typeof events];
  readonly #findings: Finding[] = [];
  /** Once `before` was begun. */
  #begun: HookedRun | undefined;

  constructor(settings: HookSettings, deps: Pick<Deps, 'signal' | 'step'>, around: keyof typeof events) {
    this.#settings = settings;
    this.#deps = deps;
    this.#events = events[around];
  }

  get quiesces(): boolean {
    return this.#settings[this.#events.before] !== undefined;
  }

  get findings(): readonly Finding[] {
    return this.#findings;
  }

  async before(run: HookedRun): Promise<void> {
    const { signal } = this.#deps;
    const { before, nothing } = this.#events;
    signal.throwIfAborted();
    this.#begun = run;
    const failed = await this.#run(before, run, { signal });
    signal.throwIfAborted();
    if (failed === undefined) return;
    throw new BkpError('hook-failed', failed, {
      hint: `${nothing} Mend the command (it is run in ${run.root}) and try again.`,
    });
  }

  async after(run: HookedRun, outcome: RunOutcome): Promise<void> {
    // What was not stopped is not to be started.
    if (this.#begun !== undefined) await this.#runAfter([this.#events.after], run, outcome);
  }

  async last(run: HookedRun, outcome: RunOutcome): Promise<void> {
    const wanted: readonly HookEvent[] = outcome.status === 'done' ? ['finally'] : ['onFailure', 'finally'];
    await this.#runAfter(wanted, this.#begun ?? run, outcome);
  }

  async #runAfter(wanted: readonly HookEvent[], run: HookedRun, outcome: RunOutcome): Promise<void> {
    const failures: string[] = [];
    for (const event of wanted) {
      const failed = await this.#run(event, run, { outcome });
      if (failed !== undefined) failures.push(failed);
    }
    this.#findings.push(...failures.map((failed) => finding('hook-failed', failed)));
    if (failures.length > 0 && outcome.status === 'failed') throw new BkpError('hook-failed', failures.join('; '));
  }

  /** What failed; undefined where nothing did, or there is nothing to run. */
  async #run(event: HookEvent, run: HookedRun, { outcome, signal }: Around): Promise<string | undefined> {
    const command = this.#settings[event];
    if (command === undefined) return undefined;
    this.#deps.step('hook', `running the hook ${event}: ${shownCommand(command)}`);
    const result: HookResult = await runHook(command, {
      env: {
        BKP_HOOK_EVENT: event,
        BKP_HOOK_ID: run.id,
        BKP_HOOK_STATUS: outcome?.status ?? '',
        BKP_HOOK_EXIT_CODE: outcome === undefined ? '' : String(outcome.exitCode),
        BKP_HOOK_FILE: run.file,
      },
      cwd: run.root,
      timeout: this.#settings.timeout,
      ...(signal === undefined ? {} : { signal }),
    });
    if (result.ok) return undefined;
    const failed = `the hook ${event} failed: ${shownCommand(command)} ${result.reason}`;
    this.#deps.step('hook-failed', failed);
    return failed;
  }
}

interface Around {
  /** What it is told of the run; none before it. */
  readonly outcome?: RunOutcome;
  /** What may end it before its time. */
  readonly signal?: AbortSignal;
}
