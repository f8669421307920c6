import { randomBytes } from 'node:crypto';
import { lstatSync, type Dirent } from 'node:fs';
import { lstat, mkdir, readdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ByteSource } from '../base/byte-source.js';
import { concurrently } from '../base/concurrently.js';
import { compareBytes, entryPathFault } from '../base/entry-path.js';
import { BkpError, ioError, systemCode } from '../base/errors.js';
import { makeFolders } from '../fs/make-folders.js';
import { finalNames, PartialFile, partialPath, writeFileDurably } from '../fs/partial-file.js';
import { glance, type Glimpse } from '../fs/glimpse.js';
import { PromptDisk } from '../fs/prompt-disk.js';
import { openByteSource } from '../fs/random-access.js';
import { reasonOf } from '../fs/reason.js';
import { syncFolder } from '../fs/sync-folder.js';
import type { Storage, StoragePartial, StorageLock, StorageLockRequest, StoredFile } from './storage.js';

/** SQLite's write lock on it is the lock of the storage. */
const lockName = '.bkp.lock';
/** The file by which is found out whether the folder can be written to. */
const probePattern = /^\.probe\.[0-9a-f]{8}\.partial$/;

/** A folder (0700) of this machine as a storage. */
export class LocalStorage implements Storage {
  readonly location: string;
  readonly folder: string;

  readonly #mustExist: boolean;
  /** For the many small looks that a list takes. */
  readonly #disk = new PromptDisk();

  /**
   * `folder`: absolute; need not exist yet, unless it `mustExist`: what is made below a mount point while nothing is mounted
   * there fills another disk.
   */
  constructor(folder: string, { mustExist }: { readonly mustExist: boolean } = { mustExist: false }) {
    this.folder = folder;
    this.location = folder;
    this.#mustExist = mustExist;
  }

  async list(): Promise<readonly StoredFile[]> {
    const names = (await this.#entries()).map(({ name }) => name).filter((name) => !name.startsWith('.'));
    const files = await concurrently(names, 8, (name) => this.stat(name));
    return files.filter((file) => file !== undefined);
  }

  async stat(name: string): Promise<StoredFile | undefined> {
    const path = this.#path(name);
    try {
      const found = this.#disk.isPrompt ? this.#disk.ask(() => lstatSync(path)) : await lstat(path);
      return found.isFile() ? { name, bytes: found.size, modified: found.mtimeMs } : undefined;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw ioError('looking at', path, error);
    }
  }

  glance<T>(name: string, look: (file: Glimpse) => T | undefined): T | undefined {
    return this.#disk.isPrompt ? glance(this.#path(name), this.#disk, look) : undefined;
  }

  async open(name: string): Promise<ByteSource> {
    const path = this.#path(name);
    try {
      return await openByteSource(path);
    } catch (error) {
      if (error instanceof BkpError && error.id === 'file-not-found') await this.#entries();
      throw error;
    }
  }

  async createPartial(name: string): Promise<StoragePartial> {
    const path = this.#path(name);
    await this.prepare();
    return new LocalPartial(await PartialFile.create(partialPath(path)), path);
  }

  async writeSide(name: string, bytes: Uint8Array): Promise<void> {
    const path = this.#path(name);
    await this.prepare();
    await writeFileDurably(path, bytes, 0o600);
  }

  async readSide(name: string, maxBytes: number): Promise<Buffer | undefined> {
    if ((await this.stat(name)) === undefined) return undefined;
    const source = await this.open(name);
    try {
      if (source.size <= maxBytes) return await source.read(0, source.size);
    } finally {
      await source.close();
    }
    const message = `${this.#path(name)} has ${source.size} bytes; such a file has at most ${maxBytes}`;
    throw new BkpError('archive-damaged', message, { path: this.#path(name), hint: 'Look at what it is.' });
  }

  async remove(name: string): Promise<void> {
    await this.#unlink(this.#path(name));
    await syncFolder(this.folder);
  }

  async prepare(): Promise<void> {
    if (this.#mustExist) await this.#entries();
    try {
      if (!this.#mustExist) {
        makeFolders(dirname(this.folder));
        await mkdir(this.folder, { mode: 0o700 }).catch(acceptExisting);
      }
      // Only writing shows whether writing is possible (read-only mounts, network file systems, access lists).
      const probe = partialPath(join(this.folder, `probe.${randomBytes(4).toString('hex')}`));
      await (await PartialFile.create(probe)).discard();
    } catch (error) {
      throw this.#unwritable(error);
    }
  }

  async lock(request: StorageLockRequest): Promise<StorageLock> {
    await this.prepare();
    // Looking takes no lock, and does not wait for what it takes.
    const { acquireLock } = await import('../fs/lock.js');
    return acquireLock(join(this.folder, lockName), request);
  }

  async removeDeadPartials(isOwn: (name: string) => boolean): Promise<readonly string[]> {
    const isDead = (name: string): boolean => probePattern.test(name) || finalNames(name).some(isOwn);
    const dead = (await this.#entries()).filter((entry) => entry.isFile() && isDead(entry.name));
    for (const { name } of dead) await this.#unlink(join(this.folder, name));
    return dead.map(({ name }) => name);
  }

  async #entries(): Promise<readonly Dirent[]> {
    try {
      const entries = await readdir(this.folder, { withFileTypes: true });
      return entries.sort((a, b) => compareBytes(a.name, b.name));
    } catch (error) {
      const code = systemCode(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw ioError('listing', this.folder, error);
      const [message, hint] = this.#mustExist
        ? [`there is no folder ${this.folder} (it is never made: is it mounted?)`, 'Mount or create it.']
        : [
            `there are no backups: the folder ${this.folder} is not there`,
            '`bkp create` makes one. Should there be some, check `storage` or BKP_STORAGE, and what is mounted.',
          ];
      throw new BkpError('storage-not-found', message, { cause: error, path: this.folder, hint });
    }
  }

  #unwritable(error: unknown): BkpError {
    if (error instanceof BkpError && error.id === 'no-space') return error;
    const cause = error instanceof BkpError ? error.cause : error;
    const message = `the storage ${this.folder} cannot be written to: ${reasonOf(cause)}`;
    return new BkpError('storage-unwritable', message, {
      cause,
      path: this.folder,
      hint:
        'Make it writable, choose another with `storage` or BKP_STORAGE, or stream the archive: `bkp create -o - > site.zip`. ' +
        'Where it never can be, `readOnly: true` (or BKP_READ_ONLY=1) says that every backup is streamed.',
    });
  }

  async #unlink(path: string): Promise<void> {
    try {
      await unlink(path);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw ioError('removing', path, error);
    }
  }

  /** Checked again, although names come from `list` or our own ids: nothing outside the folder is ever touched. */
  #path(name: string): string {
    const fault = name.includes('/') || name.startsWith('.') ? 'segment' : entryPathFault(name);
    if (fault !== undefined) throw new RangeError(`not a name in a storage (${fault}): ${JSON.stringify(name)}`);
    return join(this.folder, name);
  }
}

class LocalPartial implements StoragePartial {
  readonly #file: PartialFile;
  readonly #finalPath: string;

  constructor(file: PartialFile, finalPath: string) {
    this.#file = file;
    this.#finalPath = finalPath;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#file.write(bytes);
  }

  truncate(size: number): Promise<void> {
    return this.#file.truncate(size);
  }

  sync(): Promise<void> {
    return this.#file.sync();
  }

  open(): Promise<ByteSource> {
    return openByteSource(this.#file.path);
  }

  publish(): Promise<void> {
    return this.#file.publish(this.#finalPath, { overwrite: false });
  }

  discard(): Promise<void> {
    return this.#file.discard();
  }
}

function acceptExisting(error: unknown): void {
  if (systemCode(error) !== 'EEXIST') throw error;
}
