import { chmodSync, fchmodSync, lstatSync, readdirSync, rmdirSync, unlinkSync, type Dirent } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { ioError, systemCode } from '../base/errors.js';
import { FolderHandle } from './folder-handle.js';
import { withoutDescriptor } from './reason.js';

interface Emptying {
  readonly handle: FolderHandle;
  /** How the folder is named by the one it lies in. */
  readonly at: string | Buffer;
  readonly folders: Buffer[];
}

/**
 * Removes a file, a link or a whole folder, also one with folders that are read-only to their owner, and with names that
 * are not UTF-8. Links are removed, never followed. Nothing there is no error; anything else throws `io-failed`.
 */
export async function removeTree(path: string): Promise<void> {
  const open: Emptying[] = [];
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return;
    if (!found.isDirectory()) return unlinkSync(path);
    open.push(emptyFolder(path));
    for (let folder = open.at(-1); folder !== undefined; folder = open.at(-1)) {
      const next = folder.folders.pop();
      if (next !== undefined) {
        open.push(emptyFolder(folder.handle.atBytes(next)));
        continue;
      }
      open.pop();
      folder.handle.close();
      rmdirSync(folder.at);
      // Large trees take seconds: signals are heard in between.
      await setImmediate();
    }
  } catch (error) {
    throw ioError('removing', path, withoutDescriptor(error));
  } finally {
    for (const folder of open) folder.handle.close();
  }
}

/** Opens a folder and removes all in it but folders. */
function emptyFolder(at: string | Buffer): Emptying {
  const handle = openWritable(at);
  try {
    const entries: readonly Dirent<Buffer>[] = readdirSync(handle.base, { withFileTypes: true, encoding: 'buffer' });
    const folders: Buffer[] = [];
    for (const entry of entries) {
      if (entry.isDirectory()) folders.push(entry.name);
      else unlinkSync(handle.atBytes(entry.name));
    }
    return { handle, at, folders };
  } catch (error) {
    handle.close();
    throw error;
  }
}

const ownerRights = 0o700;

function openWritable(at: string | Buffer): FolderHandle {
  const handle = openAnyway(at);
  try {
    if ((handle.stat.mode & ownerRights) !== ownerRights) fchmodSync(handle.fd, ownerRights);
    return handle;
  } catch (error) {
    handle.close();
    throw error;
  }
}

function openAnyway(at: string | Buffer): FolderHandle {
  try {
    return new FolderHandle(at);
  } catch (error) {
    if (systemCode(error) !== 'EACCES' || !lstatSync(at).isDirectory()) throw error;
    chmodSync(at, ownerRights);
    return new FolderHandle(at);
  }
}
