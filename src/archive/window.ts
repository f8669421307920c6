import type { ByteSource } from '../base/byte-source.js';

const defaultPiece = 1024 * 1024;

/** Reads forward through a source in large pieces. What it gives stays valid; it is never written to again. */
export class Window {
  readonly #source: ByteSource;
  readonly #pieceBytes: number;
  #piece: Buffer = Buffer.alloc(0);
  #start = 0;

  /** `pieceBytes`: read at once, at least. */
  constructor(source: ByteSource, pieceBytes = defaultPiece) {
    this.#source = source;
    this.#pieceBytes = pieceBytes;
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
    this.#piece = await this.#source.read(position, wanted);
    this.#start = position;
    return this.#piece.subarray(0, length);
  }
}
