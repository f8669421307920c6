import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Container } from '../archive/archive.js';
import { BkpError } from '../base/errors.js';
import { defaultPingTimeout, type NotifySettings } from '../system/notify.js';
import type { Config, Origin } from './config.js';
import { findConflicts } from './conflicts.js';
import { type DetectedLayout, detectLayout } from './detect-instance.js';
import { type ConfigFlags, parseEnvironment, parseFlags } from './environment.js';
import { type ConfigFault, keyPath } from './fault.js';
import {
  chooseRoot,
  type ChosenRoot,
  folderFault,
  givenRoot,
  locateFile,
  nothingFound,
  type Outside,
} from './locate.js';
import { parseConfig } from './parse.js';
import { configuredPassphrase, outsidePassphrase } from './passphrase-source.js';
import type { FoundConfig } from './read-file.js';
import type { ConfigFile } from './schema.js';
import { resolveSources } from './sources.js';

/**
 * Measured on 700 MB (a text-rich database, 20,000 JSON files, media): half of level 6's time in the compressor for an archive
 * 0.8 % larger; for the database alone 2.8 %.
 */
const defaultLevel = 3;

export interface LoadRequest {
  /** The working folder: absolute. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags: ConfigFlags;
  /** For commands that can do without an instance: resolves to undefined where nothing tells of one. */
  readonly optional?: boolean;
}

/**
 * Finds, reads and checks everything there is to know about an instance. Rejects with `config-invalid` (every fault with
 * its place), `config-unsafe`, `config-not-found` or `root-not-found`. Writes nothing, opens no database.
 */
export async function loadConfig(request: LoadRequest & { readonly optional: true }): Promise<Config | undefined>;
export async function loadConfig(request: LoadRequest & { readonly optional?: false }): Promise<Config>;
export async function loadConfig(request: LoadRequest): Promise<Config | undefined> {
  const flags = parseFlags(request.flags);
  const env = parseEnvironment(request.env);
  const cwd = resolve(request.cwd);
  const passphrase = outsidePassphrase(request.flags, request.env, cwd);
  const given = [...flags.faults, ...env.faults, ...passphrase.faults];
  const faults = given.map((fault) => line(fault));
  // Where to look is not known: whatever would be found may be the wrong thing.
  if ([...flags.faults, ...env.faults].some(({ at }) => placeNames.has(at))) throw outsideInvalid(given);
  const outside: Outside = {
    cwd,
    flags: flags.values,
    env: env.values,
    passphrase: passphrase.source,
    allowUnsafe: request.flags.allowUnsafeConfig === true,
  };
  const folder = await givenRoot(outside);
  const found = await locateFile(outside, folder);
  const file = found === undefined ? noFile : parsed(found, faults);
  if (faults.length > 0 && faults.length === given.length) throw outsideInvalid(given);
  if (file === undefined || faults.length > 0) throw configInvalid(faults);
  const root = folder ?? (await chooseRoot(outside, found?.file, file.root));
  if (root === undefined) {
    if (request.optional === true) return undefined;
    throw nothingFound(outside.cwd);
  }
  return assemble(outside, root, found?.file, file);
}

const placeNames = new Set(['--root', '--config', 'BKP_ROOT', 'BKP_CONFIG']);

const noFile: ConfigFile = { sources: new Map() };

function parsed(found: FoundConfig, faults: string[]): ConfigFile | undefined {
  const result = parseConfig(found.raw);
  if (result.ok) return result.file;
  faults.push(...result.faults.map((fault) => line(fault, found.file)));
  return undefined;
}

async function assemble(
  outside: Outside,
  chosen: ChosenRoot,
  configFile: string | undefined,
  file: ConfigFile,
): Promise<Config> {
  const fault = await folderFault(chosen.path);
  if (fault !== undefined) throw configInvalid([line({ at: 'root', says: `${chosen.path} ${fault}` }, configFile)]);
  const root = await realpath(chosen.path);
  const detected = await detectLayout(root);
  const { flags, env } = outside;
  const storage = storageOf(outside, configFile, file, detected?.layout.storage ?? join(root, 'var', 'backups'));
  const format = setting<Container>(flags.format, env.format, file.format, 'zip');
  const level = setting(flags.level, env.level, file.level, defaultLevel);
  const readOnly = setting(undefined, env.readOnly, file.readOnly, false);
  const sources = resolveSources(file.sources, root, detected?.layout);
  const storagePlace = storage.from === 'flag' ? '--storage' : storage.from === 'env' ? 'BKP_STORAGE' : configFile;
  const copies = copiesOf(file, configFile);
  const conflicts = await findConflicts(sources, storage.value, copies);
  const faults = [
    ...unreadFaults(file, detected),
    ...conflicts.map((each) => line(each, each.at === 'storage' ? storagePlace : configFile)),
  ];
  if (faults.length > 0) throw configInvalid(faults);
  return {
    instance: file.instance ?? nameOf(root),
    root,
    storage: storage.value,
    configFile,
    sources,
    exclude: file.exclude ?? [],
    format: format.value,
    level: level.value,
    maxPause: file.maxPause ?? defaultMaxPause,
    encryption: encryptionOf(file),
    passphrase: outside.passphrase ?? configuredPassphrase(file.encryption, configFile),
    readOnly: readOnly.value,
    hooks: { timeout: defaultHookTimeout, ...file.hooks },
    copies,
    retention: file.retention,
    notify: notifyOf(file),
    lockWait: flags.lockWait ?? env.lockWait ?? 0,
    noInput: flags.noInput ?? env.noInput ?? false,
    origins: {
      root: chosen.from,
      storage: storage.from,
      format: format.from,
      level: level.from,
      readOnly: readOnly.from,
    },
  };
}

const nameOf = (root: string): string => (basename(root) === '' ? 'root' : basename(root));

const encryptionOf = ({ encryption }: ConfigFile): Config['encryption'] => ({
  enabled: encryption?.enabled ?? false,
  hint: encryption?.hint,
});

/** Milliseconds. */
const defaultMaxPause = 4000;
const defaultHookTimeout = 5 * 60 * 1000;

interface Setting<T> {
  readonly value: T;
  readonly from: Origin;
}

function setting<T>(flag: T | undefined, env: T | undefined, file: T | undefined, otherwise: T): Setting<T> {
  if (flag !== undefined) return { value: flag, from: 'flag' };
  if (env !== undefined) return { value: env, from: 'env' };
  if (file !== undefined) return { value: file, from: 'file' };
  return { value: otherwise, from: 'default' };
}

function storageOf(
  { cwd, flags, env }: Outside,
  configFile: string | undefined,
  file: ConfigFile,
  otherwise: string,
): Setting<string> {
  const { value, from } = setting(flags.storage, env.storage, file.storage, otherwise);
  const base = from === 'file' && configFile !== undefined ? dirname(configFile) : cwd;
  return { value: resolve(base, value), from };
}

/** Relative to their file, without which there are none. */
function copiesOf({ copies = [] }: ConfigFile, configFile: string | undefined): readonly string[] {
  return configFile === undefined ? [] : copies.map((copy) => resolve(dirname(configFile), copy));
}

function notifyOf({ notify }: ConfigFile): NotifySettings | undefined {
  return notify === undefined ? undefined : { timeout: defaultPingTimeout, ...notify };
}

/** Where an environment file cannot be read, it may name other databases than those found: guessing would be wrong. */
function unreadFaults(file: ConfigFile, detected: DetectedLayout | undefined): readonly string[] {
  if (detected?.unread === undefined || file.sources.get('system.brain')?.path !== undefined) return [];
  const mend = `make it readable, or give ${keyPath(['sources', 'system.brain', 'path'])}`;
  return [line({ at: detected.unread, says: `cannot be read, and may name another place for the databases: ${mend}` })];
}

function line({ at, says }: ConfigFault, place?: string): string {
  const what = at === '' ? says : `${at} ${says}`;
  return place === undefined ? what : `${place}: ${what}`;
}

/** What flags and variables say: where only flags are at fault, no file is to be mended. */
function outsideInvalid(faults: readonly ConfigFault[]): BkpError {
  const lines = faults.map((fault) => line(fault));
  if (!faults.every(({ at }) => at.startsWith('--'))) return configInvalid(lines);
  return new BkpError('config-invalid', lines.join('\n  '), { hint: 'The flags are described by --help.' });
}

function configInvalid(lines: readonly string[]): BkpError {
  return new BkpError('config-invalid', ['the configuration is not valid:', ...lines].join('\n  '), {
    hint: 'Mend what is named and try again; docs/configuration.md describes every key.',
  });
}
