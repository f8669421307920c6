import { createHash, type Hash } from 'node:crypto';
import type { ByteSink } from '../base/byte-source.js';
import { ownMemory } from '../base/own-memory.js';

/** Writes are gathered into pieces of this many bytes, */
const pieceBytes = 1024 * 1024;
/** unless they have this many: copying them would cost more than another call. */
const directBytes = 256 * 1024;

/** A place to come back to: see `ArchiveSink.mark`. */
export interface Mark {
  readonly position: number;
  readonly hash: Hash;
}

/** An archive's bytes on their way out: gathered, counted and hashed, and taken back where the sink can do that. */
export class ArchiveSink {
  readonly #sink: ByteSink;
  #hash = createHash('sha256');
  #position = 0;
  /** Used again for each piece. */
  readonly #room = ownMemory(pieceBytes);
  #gathered = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Bytes given so far. */
  get position(): number {
    return this.#position;
  }

  /** When it resolves, the bytes may be used for something else. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#position += bytes.length;
    if (this.#gathered + bytes.length > pieceBytes) await this.flush();
    if (bytes.length >= directBytes) {
      await this.flush();
      return this.#give(bytes);
    }
    this.#room.set(bytes, this.#gathered);
    this.#gathered += bytes.length;
  }

  /** Hands everything gathered to the sink. */
  async flush(): Promise<void> {
    if (this.#gathered === 0) return;
    const piece = this.#room.subarray(0, this.#gathered);
    this.#gathered = 0;
    await this.#give(piece);
  }

  /** SHA-256 over all bytes so far, to be continued or finished by the caller. */
  async hash(): Promise<Hash> {
    await this.flush();
    return this.#hash.copy();
  }

  /** Where the archive stands now; undefined where the sink cannot take bytes back. */
  async mark(): Promise<Mark | undefined> {
    if (this.#sink.truncate === undefined) return undefined;
    return { position: this.#position, hash: await this.hash() };
  }

  /** Takes back all bytes behind the mark. */
  async rollback(mark: Mark): Promise<void> {
    if (this.#sink.truncate === undefined) throw new Error('this sink cannot take bytes back');
    this.#gathered = 0;
    await this.#sink.truncate(mark.position);
    this.#position = mark.position;
    this.#hash = mark.hash.copy();
  }

  async #give(piece: Uint8Array): Promise<void> {
    const writing = this.#sink.write(piece);
    // While it is on its way. A failure is thrown below.
    writing.catch(() => undefined);
    this.#hash.update(piece);
    await writing;
  }
}
