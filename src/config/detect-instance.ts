import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ioError, systemCode } from '../base/errors.js';
import { type CmsLayout, storageRootLayout, varLayout } from './cms.js';
import { readDatabaseFile } from './database-url.js';

export interface DetectedLayout {
  readonly layout: CmsLayout;
  /** An environment file that could not be read and may name another place for the databases than the one found. */
  readonly unread: string | undefined;
}

/**
 * Whether a folder has the layout of the CMS: the storage root its `DATABASE_URL` names, or `var`. What the application
 * itself opens comes first, unless it is not there and `var/system.brain` is. Only looks; opens no database.
 */
export async function detectLayout(root: string): Promise<DetectedLayout | undefined> {
  const named = await readDatabaseFile(root);
  const storageRoot = named.file === undefined ? undefined : await storageRootOf(named.file);
  if (storageRoot?.present === true) return { layout: storageRootLayout(root, storageRoot.path), unread: undefined };
  // user.brain alone is also the CMS: one whose system.brain was lost, which a backup must not pass over.
  const inVar = (await isFile(join(root, 'var', 'system.brain'))) || (await isFile(join(root, 'var', 'user.brain')));
  if (inVar) return { layout: varLayout(root), unread: named.unread };
  if (storageRoot === undefined) return undefined;
  return { layout: storageRootLayout(root, storageRoot.path), unread: undefined };
}

/** The first of these folders that has the layout of the CMS. */
export async function findInstance(folders: readonly string[]): Promise<DetectedLayout | undefined> {
  for (const folder of folders) {
    const detected = await detectLayout(folder);
    if (detected !== undefined) return detected;
  }
  return undefined;
}

/** A database in a folder `databases` where `system.brain` is, or is at least the one that is named. */
async function storageRootOf(database: string): Promise<{ path: string; present: boolean } | undefined> {
  const folder = dirname(database);
  if (basename(folder) !== 'databases') return undefined;
  const present = (await isFile(join(folder, 'system.brain'))) || (await isFile(join(folder, 'user.brain')));
  return present || basename(database) === 'system.brain' ? { path: dirname(folder), present } : undefined;
}

const notThere = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG']);

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (notThere.has(systemCode(error) ?? '')) return false;
    throw ioError('looking at', path, error);
  }
}
