import { lstatSync } from 'node:fs';
import { basename } from 'node:path';
import type { ByteSource } from '../base/byte-source.js';
import { BkpError, systemCode } from '../base/errors.js';
import { openByteSource } from '../fs/random-access.js';
import { maxSideBytes, sideSuffix } from '../manifest/side-file.js';
import type { Storage } from '../storage/storage.js';

/** An archive somewhere: in a storage, or a file the user names. */
export interface BackupFile {
  /** The file's own name. */
  readonly name: string;
  /** For people: a path. */
  readonly location: string;
  readonly storage: Storage | undefined;
  open(): Promise<ByteSource>;
  /** The text of the `.sha256` beside it; undefined where there is none. */
  readSide(): Promise<string | undefined>;
}

export function storedBackup(storage: Storage, name: string): BackupFile {
  return {
    name,
    location: storage.folder === undefined ? `${storage.location}/${name}` : `${storage.folder}/${name}`,
    storage,
    open: () => storage.open(name),
    readSide: () => readStoredSide(storage, `${name}${sideSuffix}`),
  };
}

export function fileBackup(path: string): BackupFile {
  return {
    name: basename(path),
    location: path,
    storage: undefined,
    open: () => openByteSource(path),
    readSide: () => readSideFile(`${path}${sideSuffix}`),
  };
}

/** One that is too long to be a side file is given as an empty one, which is none either. */
async function readStoredSide(storage: Storage, name: string): Promise<string | undefined> {
  try {
    return (await storage.readSide(name, maxSideBytes))?.toString();
  } catch (error) {
    if (error instanceof BkpError && error.id === 'archive-damaged') return '';
    throw error;
  }
}

async function readSideFile(path: string): Promise<string | undefined> {
  let source: ByteSource;
  try {
    if (!lstatSync(path).isFile()) return undefined;
    source = await openByteSource(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || (error instanceof BkpError && error.id === 'file-not-found'))
      return undefined;
    throw error;
  }
  try {
    // The beginning of a longer one could pass for a line of its own.
    return source.size > maxSideBytes ? '' : (await source.read(0, source.size)).toString();
  } finally {
    await source.close();
  }
}
