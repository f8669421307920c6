import { resolve } from 'node:path';
import type { Config } from '../config/config.js';
import { parseEnvironment, parseFlags, type ConfigFlags } from '../config/environment.js';
import { loadConfig } from '../config/load.js';
import type { BackupFile } from '../operations/backup-file.js';
import type { Storage } from '../storage/storage.js';
import { LocalStorage } from '../storage/local-storage.js';
import { findBackup } from '../operations/find-backup.js';
import { shellWord } from '../ui/display.js';
import type { GlobalOptions } from './global-options.js';
import type { CommandDeps } from './job.js';

/** What is known of where backups lie. */
export interface Place {
  /** Undefined where nothing tells of an instance. */
  readonly config: Config | undefined;
  /** Undefined where neither an instance nor a flag or variable names one: then only paths can be meant. */
  readonly storage: Storage | undefined;
}

function flagsOf(globals: GlobalOptions, more: ConfigFlags): ConfigFlags {
  const { root, config, storage, lockWait, input, allowUnsafeConfig } = globals;
  return { root, config, storage, lockWait, allowUnsafeConfig, ...(input ? {} : { noInput: true }), ...more };
}

/** The instance that is meant; rejects where there is none. `more`: a command's own flags that the configuration knows. */
export async function openInstance(
  globals: GlobalOptions,
  { cwd, env, output }: CommandDeps,
  more: ConfigFlags = {},
): Promise<{ readonly config: Config; readonly storage: Storage }> {
  const config = await loadConfig({ cwd, env, flags: flagsOf(globals, more) });
  tellConfig(config, output.step.bind(output));
  return { config, storage: new LocalStorage(config.storage) };
}

/** For commands that can do without an instance: a storage alone is enough, or none, where files are named. */
export async function findPlace(globals: GlobalOptions, { cwd, env, output }: CommandDeps): Promise<Place> {
  const flags = flagsOf(globals, {});
  const config = await loadConfig({ cwd, env, flags, optional: true });
  if (config !== undefined) {
    tellConfig(config, output.step.bind(output));
    return { config, storage: new LocalStorage(config.storage) };
  }
  const named = parseFlags(flags).values.storage ?? parseEnvironment(env).values.storage;
  return { config: undefined, storage: named === undefined ? undefined : new LocalStorage(resolve(cwd, named)) };
}

/** The same where there must be a storage: rejects as `openInstance` does. */
export async function findStorage(
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<Place & { readonly storage: Storage }> {
  const { config, storage } = await findPlace(globals, deps);
  return storage === undefined ? openInstance(globals, deps) : { config, storage };
}

function tellConfig({ instance, root, configFile }: Config, step: (id: string, message: string) => void): void {
  step(
    'instance',
    `${instance} in ${root}, ${configFile === undefined ? 'without a configuration file' : `configured by ${configFile}`}`,
  );
}

/** The backup a user names. */
export function namedBackup(reference: string, { config, storage }: Place, deps: CommandDeps): Promise<BackupFile> {
  const wanted = { reference, storage, instance: config?.instance, cwd: deps.cwd };
  return findBackup(wanted, deps.signal);
}

/** How the user calls bkp for this instance, for commands that are proposed: with the same flags for its place. */
export function sameCall({ root, config, storage }: GlobalOptions): string {
  const flags = [
    ['-C', root],
    ['-c', config],
    ['--storage', storage],
  ] as const;
  const given = flags.flatMap(([flag, value]) => (value === undefined ? [] : [flag, shellWord(value)]));
  return ['bkp', ...given].join(' ');
}
