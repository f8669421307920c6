import { createHash, type Hash } from 'node:crypto';
import type { ByteSink } from '../base/byte-source.js';

/** Writes are gathered into pieces of this many bytes. */
const pieceBytes = 1024 * 1024;

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
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Bytes given so far. */
  get position(): number {
    return this.#position;
  }

  /** The bytes must not change afterwards. */
  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    this.#position += bytes.length;
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    if (this.#gatheredBytes >= pieceBytes) await this.flush();
  }

  /** Hands everything gathered to the sink. */
  async flush(): Promise<void> {
    if (this.#gatheredBytes === 0) return;
    const [only] = this.#gathered;
    const piece = this.#gathered.length === 1 && only !== undefined ? only : Buffer.concat(this.#gathered);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#hash.update(piece);
    await this.#sink.write(piece);
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
    this.#gathered = [];
    this.#gatheredBytes = 0;
    await this.#sink.truncate(mark.position);
    this.#position = mark.position;
    this.#hash = mark.hash.copy();
  }
}
