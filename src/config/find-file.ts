import { lstat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BkpError, ioError, systemCode } from '../base/errors.js';
import { type FoundConfig, readConfigFile, readPackageKey } from './read-file.js';

export const configNames = ['.backuprc', '.backuprc.json', '.backuprc.yaml', '.backuprc.yml'] as const;

/** A folder and every one above it, the nearest first. */
export function upward(folder: string): readonly string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...upward(above)];
}

/** The configuration of the first of these folders that has one. Rejects where it is unsafe, empty, unreadable, or twice there. */
export async function findConfigFile(
  folders: readonly string[],
  allowUnsafe: boolean,
): Promise<FoundConfig | undefined> {
  for (const folder of folders) {
    const found = await configIn(folder, allowUnsafe);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function configIn(folder: string, allowUnsafe: boolean): Promise<FoundConfig | undefined> {
  const present: string[] = [];
  for (const name of configNames) {
    const file = join(folder, name);
    if (await exists(file)) present.push(file);
  }
  const [first, second] = present;
  if (first === undefined) {
    const file = join(folder, 'package.json');
    return (await exists(file)) ? readPackageKey(file, allowUnsafe) : undefined;
  }
  if (second !== undefined) {
    throw new BkpError('config-invalid', `there are two configurations: ${first} and ${second}`, {
      hint: 'Keep one of them, or name one with -c.',
      path: first,
    });
  }
  return readConfigFile(first, allowUnsafe);
}

/** A folder that cannot be searched is like one without the file: nothing was found there. */
const notThere = new Set(['ENOENT', 'ENOTDIR', 'EACCES']);

/** Whatever it is, a link that leads nowhere too. */
export async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    if (notThere.has(systemCode(error) ?? '')) return false;
    throw ioError('looking for', file, error);
  }
}
