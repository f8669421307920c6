import { randomUUID } from 'node:crypto';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { ioError } from '../base/errors.js';

/** What is kept in memory before a private file takes over. */
const memoryBytes = 8 * 1024 * 1024;
const readBytes = 1024 * 1024;

/** Bytes that are only added to and read from the beginning: in memory while few, in a file without a name beyond that. */
export class SpillBuffer {
  readonly #folder: string;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #file: FileHandle | undefined;
  #fileBytes = 0;

  /** `folder`: where the file would lie; private to this run. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Bytes added so far. */
  get length(): number {
    return this.#fileBytes + this.#heldBytes;
  }

  async add(bytes: Buffer): Promise<void> {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > memoryBytes) await this.#spill();
  }

  async *read(): AsyncGenerator<Buffer> {
    for (let at = 0; this.#file !== undefined && at < this.#fileBytes;) {
      const piece = Buffer.allocUnsafe(Math.min(readBytes, this.#fileBytes - at));
      const { bytesRead } = await this.#file.read(piece, 0, piece.length, at);
      if (bytesRead === 0) throw ioError('reading a temporary file in', this.#folder, new Error('it became shorter'));
      at += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
    if (this.#heldBytes > 0) yield Buffer.concat(this.#held);
  }

  async close(): Promise<void> {
    this.#held = [];
    this.#heldBytes = 0;
    await this.#file?.close();
    this.#file = undefined;
    this.#fileBytes = 0;
  }

  async #spill(): Promise<void> {
    try {
      this.#file ??= await this.#open();
      const piece = Buffer.concat(this.#held);
      for (let done = 0; done < piece.length;) {
        const { bytesWritten } = await this.#file.write(piece, done, piece.length - done, this.#fileBytes + done);
        done += bytesWritten;
      }
      this.#fileBytes += piece.length;
    } catch (error) {
      throw ioError('writing a temporary file in', this.#folder, error);
    }
    this.#held = [];
    this.#heldBytes = 0;
  }

  async #open(): Promise<FileHandle> {
    const path = join(this.#folder, `${randomUUID()}.spill`);
    const file = await open(path, 'wx+', 0o600);
    // Without a name nothing is left of it, however the process ends.
    await unlink(path);
    return file;
  }
}
