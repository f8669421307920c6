import type { ByteSource } from '../base/byte-source.js';
import { ownMemory } from '../base/own-memory.js';

const defaultPiece = 1024 * 1024;

const nothing = Buffer.alloc(0);

/** Reads forward through a source in large pieces. */
export class Window {
  readonly #source: ByteSource;
  readonly #pieceBytes: number;
  readonly #memory: Buffer | undefined;
  #piece: Buffer = nothing;
  #start = 0;

  /**
   * `pieceBytes`: read at once, at least. What the window gives stays valid; with `passing` it is only valid until more is asked
   * for, and no fresh memory is needed.
   */
  constructor(source: ByteSource, pieceBytes = defaultPiece, passing = false) {
    this.#source = source;
    this.#pieceBytes = pieceBytes;
    this.#memory = passing ? ownMemory(Math.min(pieceBytes, source.size)) : undefined;
  }

  /** `length` bytes from `position`, without waiting where they are there. The range must lie within the source. */
  async at(position: number, length: number): Promise<Buffer> {
    return this.now(position, length) ?? this.#load(position, length);
  }

  /** The bytes if they are there already. */
  now(position: number, length: number): Buffer | undefined {
    const from = position - this.#start;
    if (from < 0 || from + length > this.#piece.length) return undefined;
    return this.#piece.subarray(from, from + length);
  }

  async #load(position: number, length: number): Promise<Buffer> {
    const wanted = Math.max(length, Math.min(this.#pieceBytes, this.#source.size - position));
    // What lies in the same memory is overwritten, even where reading fails.
    if (this.#memory !== undefined) this.#piece = nothing;
    this.#piece = await this.#source.read(position, wanted, this.#memory);
    this.#start = position;
    return this.#piece.subarray(0, length);
  }
}
