import { realpathSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { BkpError } from '../base/errors.js';
import { parseEnvironment, parseFlags } from '../config/environment.js';
import { configNames, exists } from '../config/find-file.js';
import { folderFault } from '../config/locate.js';
import { readPackageKey } from '../config/read-file.js';
import { shellWord } from '../ui/display.js';
import type { GlobalOptions } from './global-options.js';
import type { CommandDeps } from './job.js';
import { usageError } from './usage.js';

export interface InitRequest {
  /** A real path. */
  readonly root: string;
  /** The file that is to be written. */
  readonly file: string;
  /** As the file is to have it, where it was asked for. */
  readonly storage: string | undefined;
  /** Where archives lie or will lie if a flag or variable says so: absolute. */
  readonly storageFolder: string | undefined;
  readonly noInput: boolean;
  /** How the user calls bkp for this instance later. */
  readonly again: string;
}

/** Which folder is meant; rejects with `usage`, `root-not-found`, and `output-exists` where it is configured already. */
export async function initRequest(
  folder: string | undefined,
  globals: GlobalOptions,
  { cwd, env }: Pick<CommandDeps, 'cwd' | 'env'>,
): Promise<InitRequest> {
  if (folder !== undefined && globals.root !== undefined) {
    throw usageError(`two folders are named: ${folder} and -C ${globals.root}`, 'Name one of them.');
  }
  if (globals.config !== undefined) {
    throw usageError(`-c ${globals.config}: init writes .backuprc into the folder itself`, 'Leave -c out.');
  }
  const outside = parseEnvironment(env).values;
  const flags = parseFlags({ root: folder ?? globals.root, storage: globals.storage });
  const [fault] = flags.faults;
  if (fault !== undefined)
    throw usageError(`${fault.at === '--root' ? 'the folder' : fault.at} ${fault.says}`, 'Name another.');
  const path = resolve(cwd, flags.values.root ?? outside.root ?? '.');
  const root = await realFolder(path);
  await refuseConfigured(root);
  const storageFolder = flags.values.storage ?? outside.storage;
  const isHere = root === realpathSync.native(cwd);
  return {
    root,
    file: join(root, '.backuprc'),
    storage: flags.values.storage === undefined ? undefined : storageKey(root, resolve(cwd, flags.values.storage)),
    storageFolder: storageFolder === undefined ? undefined : resolve(cwd, storageFolder),
    noInput: !globals.input || outside.noInput === true,
    again: isHere ? 'bkp' : `bkp -C ${shellWord(path)}`,
  };
}

async function realFolder(path: string): Promise<string> {
  const fault = await folderFault(path);
  if (fault !== undefined) {
    throw new BkpError('root-not-found', `the folder ${path} ${fault}`, {
      path,
      hint: 'Name the folder of an application.',
    });
  }
  const root = realpathSync.native(path);
  if (root !== '/') return root;
  throw usageError('/ holds the whole system, not one application', 'Name the folder of the application.');
}

/** In the file, relative paths are taken from its folder. */
function storageKey(root: string, storage: string): string {
  const inside = relative(root, storage);
  return inside === '' || inside.startsWith('..') ? storage : inside;
}

async function refuseConfigured(root: string): Promise<void> {
  for (const name of configNames) {
    const file = join(root, name);
    if (await exists(file)) throw configured(file, file);
  }
  const file = join(root, 'package.json');
  if ((await exists(file)) && (await readPackageKey(file, true)) !== undefined)
    throw configured(file, `the key "backup" in ${file}`);
}

const configured = (path: string, what: string): BkpError =>
  new BkpError('output-exists', `there is a configuration already: ${what}`, {
    path,
    hint: 'It is never overwritten. `bkp doctor` says what no source covers; to begin anew, move it away.',
  });
