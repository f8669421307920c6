/** Takes one field after the other from a piece, as views into it. */
export class PieceReader {
  readonly #piece: Buffer;
  #at = 0;

  constructor(piece: Buffer) {
    this.#piece = piece;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#piece.length;
  }

  take(bytes: number): Buffer {
    const end = this.#at + bytes;
    if (end > this.#piece.length) throw new RangeError('what is remembered reaches beyond its piece');
    const field = this.#piece.subarray(this.#at, end);
    this.#at = end;
    return field;
  }
}
