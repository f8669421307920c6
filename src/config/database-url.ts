import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { systemCode } from '../base/errors.js';

export interface NamedDatabase {
  /** The SQLite file `DATABASE_URL` names; undefined where it names none, or nothing that can be told from here. */
  readonly file: string | undefined;
  /** The environment file that could not be read. */
  readonly unread: string | undefined;
}

/** As Symfony has them, the stronger first: the first that has the key decides. */
const environmentFiles = ['.env.local', '.env'] as const;

/** What `DATABASE_URL` in `.env.local`, else `.env`, names. Never rejects: other things may tell what a folder is. */
export async function readDatabaseFile(root: string): Promise<NamedDatabase> {
  const variables: Record<string, string | undefined> = {};
  for (const name of environmentFiles) {
    const file = join(root, name);
    const found = await readVariables(file);
    if (found === 'unreadable') return { file: undefined, unread: file };
    for (const [key, value] of Object.entries(found)) if (!Object.hasOwn(variables, key)) variables[key] = value;
  }
  const url = variables['DATABASE_URL'];
  return { file: url === undefined ? undefined : sqliteFile(url, root, variables), unread: undefined };
}

const absent = new Set(['ENOENT', 'ENOTDIR', 'EISDIR']);

async function readVariables(file: string): Promise<Readonly<Record<string, string | undefined>> | 'unreadable'> {
  try {
    return parseEnv(await readFile(file, 'utf8'));
  } catch (error) {
    return absent.has(systemCode(error) ?? '') ? {} : 'unreadable';
  }
}

const sqliteUrl = /^(?:pdo-)?sqlite3?:\/\/(?:localhost)?\/(?<path>[^?#]+)/;
const reference = /\$(?:\{(?<braced>\w+)\}|(?<bare>\w+))/g;
const projectFolder = '%kernel.project_dir%';

/**
 * `sqlite:///%kernel.project_dir%/var/…` → an absolute path. As Doctrine has it, what follows the third slash is the
 * path, so that four slashes begin an absolute one; a relative one is taken from the root.
 */
export function sqliteFile(
  url: string,
  root: string,
  variables: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const whole = url.replace(reference, (all, braced?: string, bare?: string) => variables[braced ?? bare ?? ''] ?? all);
  const path = sqliteUrl.exec(whole)?.groups?.['path'];
  if (path === undefined || path === ':memory:') return undefined;
  const decoded = path.split(projectFolder).map(decodePercent);
  if (decoded.some((part) => part === undefined || /[$%\0]/.test(part))) return undefined;
  return resolve(root, decoded.join(root));
}

function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
