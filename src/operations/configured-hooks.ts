import { BkpError } from '../base/errors.js';
import { finding, type Finding } from '../manifest/findings.js';
import { runHook, shownCommand, type HookCommand, type HookResult } from '../system/hooks.js';
import type { Deps } from './deps.js';
import type { InPlacePlan } from './plan-in-place.js';
import type { RestoreEnding, RestoreHooks } from './restore-hooks.js';

/** The commands of a configuration, run in the root. */
export interface HookSettings {
  readonly beforeRestore?: HookCommand;
  readonly afterRestore?: HookCommand;
  readonly finally?: HookCommand;
  /** Milliseconds, of each. */
  readonly timeout: number;
}

type HookEvent = 'beforeRestore' | 'afterRestore' | 'finally';

/**
 * Hooks that run the commands of a configuration; for one restore. `beforeRestore` rejects with `hook-failed`, or with the
 * signal's reason, which also ends a command under way. The others run to their end or their timeout whatever was aborted.
 */
export function configuredHooks(settings: HookSettings, deps: Pick<Deps, 'signal' | 'step'>): RestoreHooks {
  return new ConfiguredHooks(settings, deps);
}

class ConfiguredHooks implements RestoreHooks {
  readonly #settings: HookSettings;
  readonly #deps: Pick<Deps, 'signal' | 'step'>;
  readonly #findings: Finding[] = [];
  #begun = false;

  constructor(settings: HookSettings, deps: Pick<Deps, 'signal' | 'step'>) {
    this.#settings = settings;
    this.#deps = deps;
  }

  get findings(): readonly Finding[] {
    return this.#findings;
  }

  async beforeRestore(plan: InPlacePlan): Promise<void> {
    const { signal } = this.#deps;
    signal.throwIfAborted();
    this.#begun = true;
    const failed = await this.#run('beforeRestore', plan, { signal });
    signal.throwIfAborted();
    if (failed === undefined) return;
    throw new BkpError('hook-failed', failed, {
      hint: `Nothing was restored. Mend the command (it is run in ${plan.root}) and restore again.`,
    });
  }

  async afterRestore(plan: InPlacePlan, ending: RestoreEnding): Promise<void> {
    // What beforeRestore did not stop is not to be started.
    if (this.#begun) await this.#runAfter('afterRestore', plan, ending);
  }

  async finally(plan: InPlacePlan, ending: RestoreEnding): Promise<void> {
    await this.#runAfter('finally', plan, ending);
  }

  async #runAfter(event: 'afterRestore' | 'finally', plan: InPlacePlan, ending: RestoreEnding): Promise<void> {
    const failed = await this.#run(event, plan, { ending });
    if (failed === undefined) return;
    this.#findings.push(finding('hook-failed', failed));
    if (ending.status === 'failed') throw new BkpError('hook-failed', failed);
  }

  /** What failed; undefined where nothing did, or there is nothing to run. */
  async #run(event: HookEvent, plan: InPlacePlan, { ending, signal }: Around): Promise<string | undefined> {
    const command = this.#settings[event];
    if (command === undefined) return undefined;
    this.#deps.step('hook', `running the hook ${event}: ${shownCommand(command)}`);
    const result: HookResult = await runHook(command, {
      env: {
        BKP_HOOK_EVENT: event,
        BKP_HOOK_ID: plan.id,
        BKP_HOOK_STATUS: ending?.status ?? '',
        BKP_HOOK_EXIT_CODE: ending === undefined ? '' : String(ending.exitCode),
        BKP_HOOK_FILE: plan.file.location,
      },
      cwd: plan.root,
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
  /** What it is told of the restore; none before it. */
  readonly ending?: RestoreEnding;
  /** What may end it before its time. */
  readonly signal?: AbortSignal;
}
