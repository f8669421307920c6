import { resolve } from 'node:path';
import { BkpError } from '../base/errors.js';
import type { Config } from '../config/config.js';
import { parseEnvironment, parseFlags, type ConfigFlags } from '../config/environment.js';
import { loadConfig } from '../config/load.js';
import { outsidePassphrase, type PassphraseSource } from '../config/passphrase-source.js';
import type { BackupFile } from '../operations/backup-file.js';
import type { Storage } from '../storage/storage.js';
import { LocalStorage } from '../storage/local-storage.js';
import { shellWord } from '../ui/display.js';
import type { GlobalOptions } from './global-options.js';
import type { CommandDeps } from './job.js';

/** What is known of where backups lie. */
export interface Place {
  /** Undefined where nothing tells of an instance. */
  readonly config: Config | undefined;
  /** Undefined where neither an instance nor a flag or variable names one: then only paths can be meant. */
  readonly storage: Storage | undefined;
  /** Where the passphrase is; undefined where nothing says so. */
  readonly passphrase: PassphraseSource | undefined;
  /** Never ask, even on a terminal. */
  readonly noInput: boolean;
}

export type Instance = Place & { readonly config: Config; readonly storage: Storage };

function flagsOf(globals: GlobalOptions, more: ConfigFlags): ConfigFlags {
  const { root, config, storage, lockWait, input, allowUnsafeConfig } = globals;
  return { root, config, storage, lockWait, allowUnsafeConfig, ...(input ? {} : { noInput: true }), ...more };
}

/** The instance that is meant; rejects where there is none. `more`: a command's own flags that the configuration knows. */
export async function openInstance(
  globals: GlobalOptions,
  deps: CommandDeps,
  more: ConfigFlags = {},
): Promise<Instance> {
  const instance = await loadInstance(globals, deps, more);
  tellInstance(instance.config, deps);
  return instance;
}

/** The same, without a word: for where it is to be seen first who is told. */
export async function loadInstance(
  globals: GlobalOptions,
  { cwd, env }: CommandDeps,
  more: ConfigFlags,
): Promise<Instance> {
  return placeOf(await loadConfig({ cwd, env, flags: flagsOf(globals, more) }));
}

/** Throws where the root that was named holds nothing at all: see `nothingThere`. */
export async function refuseNothing(config: Config | undefined): Promise<void> {
  if (config === undefined) return;
  const { nothingThere } = await import('../config/nothing-there.js');
  const fault = await nothingThere(config);
  if (fault !== undefined) throw fault;
}

export function tellInstance({ instance, root, configFile }: Config, { output }: CommandDeps): void {
  const by = configFile === undefined ? 'without a configuration file' : `configured by ${configFile}`;
  output.step('instance', `${instance} in ${root}, ${by}`);
}

const placeOf = (config: Config): Instance => ({
  config,
  storage: new LocalStorage(config.storage),
  passphrase: config.passphrase,
  noInput: config.noInput,
});

/** For commands that can do without an instance: a storage alone is enough, or none, where files are named. */
export async function findPlace(globals: GlobalOptions, deps: CommandDeps, more: ConfigFlags = {}): Promise<Place> {
  const { cwd, env } = deps;
  const flags = flagsOf(globals, more);
  const config = await loadConfig({ cwd, env, flags, optional: true });
  if (config !== undefined) {
    tellInstance(config, deps);
    return placeOf(config);
  }
  const [byFlag, byVariable] = [parseFlags(flags).values, parseEnvironment(env).values];
  const named = byFlag.storage ?? byVariable.storage;
  return {
    config: undefined,
    storage: named === undefined ? undefined : new LocalStorage(resolve(cwd, named)),
    passphrase: outsidePassphrase(flags, env, cwd).source,
    noInput: byFlag.noInput ?? byVariable.noInput ?? false,
  };
}

/** The same where there must be a storage: rejects as `openInstance` does. */
export async function findStorage(
  globals: GlobalOptions,
  deps: CommandDeps,
  more: ConfigFlags = {},
): Promise<Place & { readonly storage: Storage }> {
  const place = await findPlace(globals, deps, more);
  const { storage } = place;
  return storage === undefined ? openInstance(globals, deps, more) : { ...place, storage };
}

/** The backup a user names. Of one that is gone without anybody's having deleted it, the error says so. */
export async function namedBackup(
  reference: string,
  place: Pick<Place, 'config' | 'storage'>,
  deps: CommandDeps,
): Promise<BackupFile> {
  const { findBackup, isLatest } = await import('../operations/find-backup.js');
  const { config, storage } = place;
  const wanted = { reference, storage, instance: config?.instance, cwd: deps.cwd };
  try {
    const knownBad = isLatest(reference) ? await knownBadOf(place, deps) : undefined;
    return await findBackup({ ...wanted, ...(knownBad === undefined ? {} : { knownBad }) }, deps.signal);
  } catch (error) {
    if (!(error instanceof BkpError) || error.id !== 'backup-not-found') throw error;
    const { missingError } = await import('./missing-backup.js');
    throw (await missingError(reference, place, deps)) ?? error;
  }
}

async function knownBadOf(place: Pick<Place, 'config' | 'storage'>, deps: CommandDeps): Promise<ReadonlySet<string>> {
  const { withHistory } = await import('./history.js');
  const { knownBadArchives } = await import('../operations/known-damage.js');
  return withHistory(place, deps, (catalog) => Promise.resolve(knownBadArchives(catalog)));
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
