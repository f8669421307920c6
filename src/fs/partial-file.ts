import { randomBytes } from 'node:crypto';
import { open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ByteSink } from '../base/byte-source.js';
import { BkpError, ioError, systemCode } from '../base/errors.js';
import { renameExclusively } from './rename-exclusively.js';
import { syncFolder } from './sync-folder.js';

/** Where a file lies until it gets its name: beside it, so that a rename is enough. */
export function partialPath(finalPath: string): string {
  return join(dirname(finalPath), `.${basename(finalPath)}.partial`);
}

export function isPartialName(name: string): boolean {
  return name.startsWith('.') && name.endsWith('.partial');
}

/** Which files' partial this can be by its name: one's own, or one that `writeFileDurably` gave a name of its own. */
export function finalNames(partialName: string): readonly string[] {
  if (!isPartialName(partialName)) return [];
  const name = partialName.slice('.'.length, -'.partial'.length);
  const durable = /^(.+)\.[0-9a-f]{8}$/s.exec(name)?.[1];
  return durable === undefined ? [name] : [name, durable];
}

/** So many bytes are written before the disk is asked to take them: it works meanwhile, and `sync` has little left to wait for. */
const flushEvery = 32 * 1024 * 1024;

export interface PublishOptions {
  /** Take the place of a file that has the name already. */
  readonly overwrite: boolean;
}

/**
 * A file written aside (mode 0600), that gets its name when it is whole. Ends with `publish` or `discard`. Failures are
 * `no-space` or `output-unwritable`.
 */
export class PartialFile implements ByteSink {
  readonly path: string;
  readonly #file: FileHandle;
  #written = 0;
  #flushedAt = 0;
  #flushing: Promise<void> | undefined;
  /** The disk tells a failure only once. */
  #flushFailure: { readonly error: unknown } | undefined;
  #state: 'open' | 'closed' | 'ended' = 'open';

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  /** Creates it; throws `output-exists` where something is there. */
  static async create(path: string): Promise<PartialFile> {
    try {
      return new PartialFile(path, await open(path, 'wx+', 0o600));
    } catch (error) {
      if (systemCode(error) === 'EEXIST') throw leftOver(path, error);
      throw ioError('creating', path, error, 'output-unwritable');
    }
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#written;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#try('writing', async () => {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, this.#written);
        done += bytesWritten;
        this.#written += bytesWritten;
      }
    });
    if (this.#written >= this.#flushedAt + flushEvery) this.#flush();
  }

  async truncate(size: number): Promise<void> {
    if (size > this.#written) throw new RangeError(`cannot cut ${this.#written} bytes to ${size}`);
    await this.#try('cutting', () => this.#file.truncate(size));
    this.#written = size;
  }

  async setMode(mode: number): Promise<void> {
    await this.#try('setting the mode of', () => this.#file.chmod(mode));
  }

  /** Brings it to the disk. */
  async sync(): Promise<void> {
    await this.#try('syncing', async () => {
      await this.#flushing;
      if (this.#flushFailure !== undefined) throw this.#flushFailure.error;
      await this.#file.sync();
    });
  }

  /** Has the disk take what is written so far, while more is written; a failure is that of the next `sync`. */
  #flush(): void {
    if (this.#flushing !== undefined) return;
    this.#flushedAt = this.#written;
    this.#flushing = this.#file
      .datasync()
      .catch((error: unknown) => (this.#flushFailure ??= { error }))
      .then(() => (this.#flushing = undefined));
  }

  /**
   * Gives it its name, in the same folder, and brings that to the disk. Without `overwrite` a file of that name is never
   * replaced: `output-exists`. The caller synced the content.
   */
  async publish(finalPath: string, { overwrite }: PublishOptions): Promise<void> {
    await this.#close();
    await this.#try('naming', async () => {
      if (overwrite) await rename(this.path, finalPath);
      else await renameExclusively(this.path, finalPath);
    });
    this.#state = 'ended';
    await syncFolder(dirname(finalPath));
  }

  /**
   * Removes it; nothing to do once it is published. Never rejects, for there is a cause to be reported: what cannot be
   * removed now is removed as a dead run's.
   */
  async discard(): Promise<void> {
    if (this.#state === 'ended') return;
    const isOpen = this.#state === 'open';
    this.#state = 'ended';
    await this.#flushing;
    await Promise.allSettled([isOpen ? this.#file.close() : undefined, unlink(this.path)]);
  }

  async #close(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    await this.#flushing;
    await this.#try('closing', () => this.#file.close());
  }

  async #try(doing: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw ioError(doing, this.path, error, 'output-unwritable');
    }
  }
}

/**
 * A small file, whole and on the disk, or not at all. Written aside under a name of its own, so that one left by a killed
 * run is not in the way. Without `overwrite`: `output-exists` where there is one.
 */
export async function writeFileDurably(
  path: string,
  bytes: Uint8Array,
  mode: number,
  options: PublishOptions = { overwrite: true },
): Promise<void> {
  const partial = await PartialFile.create(partialPath(`${path}.${randomBytes(4).toString('hex')}`));
  try {
    await partial.write(bytes);
    await partial.setMode(mode);
    await partial.sync();
    await partial.publish(path, options);
  } finally {
    await partial.discard();
  }
}

function leftOver(path: string, cause: unknown): BkpError {
  return new BkpError('output-exists', `${path} exists: another run is writing it, or was killed while it did`, {
    cause,
    path,
    hint: 'Remove that file if no other run is writing it, or choose another name.',
  });
}
