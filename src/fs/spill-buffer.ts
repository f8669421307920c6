import { randomUUID } from 'node:crypto';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { ioError } from '../base/errors.js';
import { ownMemory } from '../base/own-memory.js';

/** Held in memory, in pieces of so many bytes, before a private file takes over. */
const pieceBytes = 1024 * 1024;
const maxHeld = 8 * pieceBytes;

/** Bytes that are only added to and read from the beginning: in memory while few, in a file without a name beyond that. */
export class SpillBuffer {
  readonly #folder: string;
  /** Filled one after the other: records are many and small, and a buffer for each would cost more than what it holds. */
  readonly #pieces: Buffer[] = [];
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

  /** One call after the other. When it resolves, the bytes may be used for something else. */
  async add(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#heldBytes === maxHeld) await this.#spill();
      const piece = (this.#pieces[Math.floor(this.#heldBytes / pieceBytes)] ??= ownMemory(pieceBytes));
      const copied = bytes.copy(piece, this.#heldBytes % pieceBytes, at);
      this.#heldBytes += copied;
      at += copied;
    }
  }

  /** Each piece is the caller's own. */
  async *read(): AsyncGenerator<Buffer> {
    for (let at = 0; this.#file !== undefined && at < this.#fileBytes;) {
      const piece = ownMemory(Math.min(pieceBytes, this.#fileBytes - at));
      const { bytesRead } = await this.#file.read(piece, 0, piece.length, at);
      if (bytesRead === 0) throw ioError('reading a temporary file in', this.#folder, new Error('it became shorter'));
      at += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
    for (const held of this.#held()) yield Buffer.concat([held]);
  }

  async close(): Promise<void> {
    this.#pieces.length = 0;
    this.#heldBytes = 0;
    await this.#file?.close();
    this.#file = undefined;
    this.#fileBytes = 0;
  }

  *#held(): Generator<Buffer> {
    for (let at = 0; at < this.#heldBytes; at += pieceBytes) {
      const piece = this.#pieces[at / pieceBytes];
      if (piece !== undefined) yield piece.subarray(0, Math.min(pieceBytes, this.#heldBytes - at));
    }
  }

  async #spill(): Promise<void> {
    try {
      this.#file ??= await this.#open();
      for (const piece of this.#held()) {
        for (let done = 0; done < piece.length;) {
          const { bytesWritten } = await this.#file.write(piece, done, piece.length - done, this.#fileBytes + done);
          done += bytesWritten;
        }
        this.#fileBytes += piece.length;
      }
    } catch (error) {
      throw ioError('writing a temporary file in', this.#folder, error);
    }
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
