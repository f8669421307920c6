import { BkpError } from '../base/errors.js';
import type { Config } from '../config/config.js';
import type { Checked } from '../operations/check-surroundings.js';
import type { Instance } from '../operations/doctor/check.js';
import { configuration } from '../operations/doctor/configuration.js';
import type { GlobalOptions } from './global-options.js';
import { openInstance, refuseNothing } from './instance.js';
import type { CommandDeps } from './job.js';

/** The instance that is meant; where there is none, that is what the check of the configuration found. */
export async function findInstance(
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<{ readonly instance: Instance | undefined; readonly checked: readonly Checked[] }> {
  try {
    const { config, storage } = await openInstance(globals, deps);
    await refuseNothing(config);
    const checked = globals.allowUnsafeConfig ? await unsafety(globals, deps) : [];
    const { instance, root, configFile, sources, exclude, maxPause } = config;
    const enabled = sources.filter((source) => source.enabled);
    return {
      checked,
      instance: {
        instance,
        root,
        configFile,
        sources: enabled,
        others: sources.filter((source) => !source.enabled),
        leftOut: [],
        excludes: exclude,
        storage,
        // A hook stops the application: nobody waits.
        maxPause: config.hooks.beforeCreate === undefined ? maxPause : 'none',
        passphraseFile: passphraseFileOf(config),
      },
    };
  } catch (error) {
    if (!(error instanceof BkpError)) throw error;
    return { instance: undefined, checked: [failed(error, 'fail')] };
  }
}

/** What is read only because it was asked for. */
async function unsafety(globals: GlobalOptions, deps: CommandDeps): Promise<readonly Checked[]> {
  try {
    await openInstance({ ...globals, allowUnsafeConfig: false }, deps);
    return [];
  } catch (error) {
    if (!(error instanceof BkpError)) throw error;
    return [failed(error, 'warn')];
  }
}

function failed({ message, hint = 'Mend it.', path }: BkpError, verdict: 'warn' | 'fail'): Checked {
  return { id: configuration.id, verdict, message, hint, ...(path === undefined ? {} : { path }) };
}

/** The file that the passphrase is read from, where it is one. */
function passphraseFileOf({ passphrase }: Config): string | undefined {
  return passphrase?.kind === 'file' ? passphrase.path : undefined;
}
