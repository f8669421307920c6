import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { BkpError, errorText, systemCode } from '../base/errors.js';
import type { Origin } from './config.js';
import { findInstance } from './detect-instance.js';
import type { Overrides } from './environment.js';
import { configNames, findConfigFile, upward } from './find-file.js';
import type { PassphraseSource } from './passphrase-source.js';
import { type FoundConfig, readConfigFile } from './read-file.js';

export interface ChosenRoot {
  /** Absolute; may not exist where it comes from a file. */
  readonly path: string;
  readonly from: Origin;
}

/** The flags and the environment, and the absolute folder their paths are relative to. */
export interface Outside {
  readonly cwd: string;
  readonly flags: Overrides;
  readonly env: Overrides;
  /** Where one of them says that the passphrase is. */
  readonly passphrase: PassphraseSource | undefined;
  readonly allowUnsafe: boolean;
}

/** `-C`, else `BKP_ROOT`. Rejects with `root-not-found` where it is no folder. */
export async function givenRoot({ cwd, flags, env }: Outside): Promise<ChosenRoot | undefined> {
  const raw = flags.root ?? env.root;
  if (raw === undefined) return undefined;
  const path = resolve(cwd, raw);
  const fault = await folderFault(path);
  if (fault === undefined) return { path, from: flags.root === undefined ? 'env' : 'flag' };
  const message = fault === notThere ? `there is no folder ${path}` : `the root ${path} ${fault}`;
  throw new BkpError('root-not-found', message, {
    hint: `Check ${flags.root === undefined ? 'BKP_ROOT' : '-C'}; a relative path is taken from the working folder.`,
    path,
  });
}

/** The named file, else the nearest one: in the given root alone, or from the working folder upward. */
export async function locateFile(outside: Outside, root: ChosenRoot | undefined): Promise<FoundConfig | undefined> {
  const named = outside.flags.config ?? outside.env.config;
  if (named !== undefined) return readConfigFile(resolve(outside.cwd, named), outside.allowUnsafe);
  return findConfigFile(root === undefined ? upward(outside.cwd) : [root.path], outside.allowUnsafe);
}

/** Where no root was given: `root:` of the file, else the file's folder, else the nearest folder that looks like one. */
export async function chooseRoot(
  outside: Outside,
  file: string | undefined,
  rootKey: string | undefined,
): Promise<ChosenRoot | undefined> {
  if (file !== undefined) return { path: resolve(dirname(file), rootKey ?? '.'), from: 'file' };
  const detected = await findInstance(upward(outside.cwd));
  return detected === undefined ? undefined : { path: detected.layout.root, from: 'default' };
}

const notThere = 'is not there';

/** Why a path is not a folder that can be used as a root; undefined where it is one. */
export async function folderFault(path: string): Promise<string | undefined> {
  try {
    return (await stat(path)).isDirectory() ? undefined : 'is not a folder';
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return notThere;
    return `cannot be used: ${errorText(error)}`;
  }
}

export function nothingFound(cwd: string): BkpError {
  return new BkpError(
    'root-not-found',
    `found neither a configuration (${configNames.join(', ')}, or "backup" in package.json) nor a known layout ` +
      `(var/system.brain, or DATABASE_URL in .env.local or .env); looked in ${upward(cwd).join(', ')}`,
    {
      hint: 'Pass -C <folder> (or set BKP_ROOT), name a configuration with -c, or let `bkp init` write one.',
      path: cwd,
    },
  );
}
