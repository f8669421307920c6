/** Gathers bytes that are a secret, up to a limit: what was taken over is wiped where it was, and nothing is left behind. */
export class SecretBytes {
  readonly #space: Buffer;
  #length = 0;

  constructor(maxBytes: number) {
    this.#space = Buffer.alloc(maxBytes);
  }

  /** Wipes the chunk. False where it does not fit: nothing of it was taken. */
  take(chunk: Buffer): boolean {
    const fits = this.#length + chunk.length <= this.#space.length;
    if (fits) this.#length += chunk.copy(this.#space, this.#length);
    chunk.fill(0);
    return fits;
  }

  /** A copy with memory of its own. */
  copy(): Buffer {
    const bytes = Buffer.alloc(this.#length);
    this.#space.copy(bytes);
    return bytes;
  }

  forget(): void {
    this.#space.fill(0);
    this.#length = 0;
  }
}
