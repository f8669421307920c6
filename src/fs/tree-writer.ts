import { closeSync, fchmodSync, fsyncSync } from 'node:fs';
import { openFileSystemSync } from './file-system-sync.js';
import { FileWriter } from './file-writer.js';
import { applyToDescriptor, applyToLink, type Metadata, type MetadataLosses, type OwnerPolicy } from './metadata.js';
import { writeFully } from './new-file.js';
import { InsideFolder } from './open-inside.js';
import { SyncQueue } from './sync-queue.js';
import { TreeFile } from './tree-file.js';

export interface TreeWriterOptions {
  readonly owner: OwnerPolicy;
  /** Bring each file and folder to the disk. */
  readonly sync: boolean;
}

export interface TreeCounts extends Readonly<MetadataLosses> {
  readonly files: number;
  /** Those asked for; folders that had to be made for what lies in them do not count. */
  readonly directories: number;
  readonly links: number;
}

/** As many are synced one by one in less than a second; starting a program twice takes some hundredths. */
const fewFiles = 250;

/** Of folders that nobody described, but that had to be made. */
const undescribedMode = 0o755;

/**
 * Writes a tree below a private folder (0700), with modes, owners and times. Paths are `EntryPath`s, or without their
 * source's name; never the root itself. Throws as `InsideFolder` does, and `no-space`; what was written stays: the caller
 * removes the folder.
 */
export class TreeWriter {
  readonly #inside: InsideFolder;
  readonly #options: TreeWriterOptions;
  readonly #queue = new SyncQueue();
  readonly #described = new Map<string, Metadata>();
  readonly #losses: MetadataLosses = { ownersNotSet: 0, setIdsDropped: 0 };
  /** Undefined: not asked for yet. `none`: each file is to be synced by itself. */
  #syncAll: (() => Promise<void>) | 'none' | undefined;
  /** There once small files are not synced by themselves. */
  #writer: FileWriter | undefined;
  #files = 0;
  #links = 0;
  #isOpen = true;

  constructor(root: string, options: TreeWriterOptions) {
    this.#inside = new InsideFolder(root);
    this.#options = options;
  }

  /** A small file, whole. */
  async writeFile(path: string, bytes: Uint8Array, meta: Metadata): Promise<void> {
    const alone = await this.#isSyncedAlone();
    if (!alone) return this.#writeBeside(path, bytes, meta);
    const fd = this.#inside.createFile(path);
    try {
      this.#inside.try('writing', path, () => writeFully(fd, bytes));
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    await this.#complete(fd, path, meta);
  }

  /** A large file, in pieces. It counts once it is closed. */
  createFile(path: string, meta: Metadata): TreeFile {
    const fd = this.#inside.createFile(path);
    return new TreeFile(fd, this.#inside.display(path), () => this.#complete(fd, path, meta));
  }

  /** Its mode, owner and times are set by `finish`, after its content. */
  createDirectory(path: string, meta: Metadata): void {
    if (this.#described.has(path)) throw this.#inside.collision(path);
    this.#inside.createFolder(path);
    this.#described.set(path, meta);
  }

  createLink(path: string, target: string, meta: Metadata): void {
    this.#inside.createLink(path, target);
    const { owner } = this.#options;
    this.#inside.try('setting owner and times of', path, () =>
      applyToLink(this.#inside.at(path), meta, owner, this.#losses),
    );
    this.#links++;
  }

  /** Completes the folders, deepest first (they may be read-only to us), and waits until all is on the disk. */
  async finish(): Promise<TreeCounts> {
    await this.#queue.drain();
    const losses = await this.#writer?.drain();
    this.#losses.ownersNotSet += losses?.ownersNotSet ?? 0;
    this.#losses.setIdsDropped += losses?.setIdsDropped ?? 0;
    const together = typeof this.#syncAll === 'function' ? this.#syncAll : undefined;
    const alone = this.#options.sync && together === undefined;
    for (const path of this.#inside.foldersDeepestFirst()) this.#completeFolder(path, alone);
    if (alone) this.#completeFolder('', alone);
    await together?.();
    await this.close();
    return { files: this.#files, directories: this.#described.size, links: this.#links, ...this.#losses };
  }

  /** Lets go of everything, also without `finish`. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#writer?.close();
    this.#inside.close();
    await this.#queue.settle();
  }

  /** A small file is, until there are so many that one call for all of them is worth it. */
  async #isSyncedAlone(): Promise<boolean> {
    if (!this.#options.sync || this.#files < fewFiles) return true;
    this.#syncAll ??= (await openFileSystemSync(this.#inside.display(''))) ?? 'none';
    return this.#syncAll === 'none';
  }

  async #writeBeside(path: string, bytes: Uint8Array, meta: Metadata): Promise<void> {
    this.#inside.prepare(path);
    this.#writer ??= new FileWriter(this.#inside, this.#options.owner);
    await this.#writer.add(path, bytes, meta);
    this.#files++;
  }

  /** Takes the descriptor over. */
  async #complete(fd: number, path: string, meta: Metadata): Promise<void> {
    try {
      this.#applyMetadata(fd, path, meta);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    this.#files++;
    if (this.#options.sync) await this.#queue.add(fd, this.#inside.display(path));
    else this.#inside.try('closing', path, () => closeSync(fd));
  }

  #completeFolder(path: string, alone: boolean): void {
    const handle = this.#inside.openFolder(path);
    try {
      const meta = this.#described.get(path);
      if (meta !== undefined) this.#applyMetadata(handle.fd, path, meta);
      else if (this.#inside.hasMade(path)) {
        this.#inside.try('setting the mode of', path, () => fchmodSync(handle.fd, undescribedMode));
      }
      if (alone) this.#inside.try('syncing', path, () => fsyncSync(handle.fd));
    } finally {
      handle.close();
    }
  }

  #applyMetadata(fd: number, path: string, meta: Metadata): void {
    this.#inside.try('setting mode, owner and times of', path, () =>
      applyToDescriptor(fd, meta, this.#options.owner, this.#losses),
    );
  }
}
