import { chmodSync, linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { systemCode } from '../base/errors.js';
import { makeFolders } from './make-folders.js';
import { writeFileDurably } from './partial-file.js';
import { identityOf, type Identity } from './swap-identity.js';
import { syncFolder } from './sync-folder.js';

/**
 * All that a swap does to a file system. Calls are by path, and only folders and the journal are ever opened: opening and
 * closing a database would drop the locks that this process holds on it. Each throws the system's error, which names
 * the call and the paths.
 */
export interface SwapIo {
  /** What lies there, links not followed; undefined for nothing. */
  look(path: string): Identity | undefined;
  link(from: string, to: string): void;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  /** Of a folder. */
  chmod(path: string, mode: number): void;
  /** Makes a private folder, with those it lies in; one that is there is fine. */
  makeFolder(path: string): void;
  syncFolder(path: string): Promise<void>;
  /** A small private file, whole and on the disk; never over one that is there. */
  writeFile(path: string, bytes: Uint8Array): Promise<void>;
}

/** Synchronous calls: a folder of thousands of children is moved one by one, and no signal is heard in between. */
export const systemSwapIo: SwapIo = {
  look: lookAt,
  link: linkSync,
  rename: renameSync,
  unlink: unlinkSync,
  chmod: chmodSync,
  makeFolder: (path) => void makeFolders(path, 0o700),
  syncFolder,
  writeFile: (path, bytes) => writeFileDurably(path, bytes, 0o600, { overwrite: false }),
};

function lookAt(path: string): Identity | undefined {
  try {
    return identityOf(lstatSync(path, { bigint: true }));
  } catch (error) {
    // ENOTDIR: something else took the place of a folder on the way.
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
