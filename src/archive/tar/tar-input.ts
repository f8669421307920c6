import { ArchiveDamage } from '../../base/damage.js';

/** A piece of the tar, and the byte of the archive at which the gzip member it is from begins (or goes on). */
export interface TarChunk {
  readonly bytes: Buffer;
  readonly at: number;
}

const nothing = Buffer.alloc(0);

/** The tar's bytes, to be taken in order in pieces of the caller's size. Not more than one chunk is held. */
export class TarInput {
  readonly #chunks: AsyncIterator<TarChunk>;
  readonly #onChunk: (at: number, position: number) => void;
  readonly #signal: AbortSignal | undefined;
  #chunk: Buffer = nothing;
  #used = 0;
  #position = 0;
  #failure: { readonly error: unknown } | undefined;

  /** `onChunk` is told for each chunk its place in the archive and in the tar. */
  constructor(chunks: AsyncIterable<TarChunk>, onChunk: (at: number, position: number) => void, signal?: AbortSignal) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#onChunk = onChunk;
    this.#signal = signal;
  }

  /** Bytes of the tar taken so far. */
  get position(): number {
    return this.#position;
  }

  /** `length` bytes where they are at hand: a view that is good until more is taken. */
  takeNow(length: number): Buffer | undefined {
    if (this.#chunk.length - this.#used < length) return undefined;
    return this.#use(length);
  }

  /** Exactly `length` bytes; throws `ArchiveDamage` where the tar ends before. */
  async take(length: number): Promise<Buffer> {
    const now = this.takeNow(length);
    if (now !== undefined) return now;
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const piece = await this.some(length - filled);
      if (piece === undefined) throw new ArchiveDamage('truncated', 'the tar ends too early');
      filled += piece.copy(bytes, filled);
    }
    return bytes;
  }

  /** At least one and at most `max` bytes, as a view; undefined at the end. */
  async some(max: number): Promise<Buffer | undefined> {
    while (this.#used === this.#chunk.length) {
      const next = await this.#next();
      if (next.done === true) return undefined;
      this.#chunk = next.value.bytes;
      this.#used = 0;
      this.#onChunk(next.value.at, this.#position);
    }
    return this.#use(Math.min(max, this.#chunk.length - this.#used));
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** After a failure, every call rejects with it: who goes on must not take it for the end. */
  async #next(): Promise<IteratorResult<TarChunk, unknown>> {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      this.#signal?.throwIfAborted();
      return await this.#chunks.next();
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  #use(length: number): Buffer {
    const piece = this.#chunk.subarray(this.#used, this.#used + length);
    this.#used += length;
    this.#position += length;
    return piece;
  }
}
