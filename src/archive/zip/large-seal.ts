import { endMac, newSalt, openMac, verifierOf, type EntryKey, type Mac } from '../../compress/aes.js';
import { deriveKey } from '../../compress/derive-key.js';
import type { Compressor } from '../../compress/compressor.js';
import type { SharedSecret } from '../../compress/shared-secret.js';

/**
 * Encrypts a large entry while it is written, under a salt of its own: one that is taken back and read again gets another
 * seal. Its blocks are encrypted on the pool, each as soon as those before it are deflated and its place is known.
 */
export class LargeSeal {
  readonly salt: Buffer;
  readonly #pool: Compressor;
  readonly #key: EntryKey;
  readonly #mac: Mac;
  #position: Promise<number> = Promise.resolve(0);

  /** Derives the key here and now: beside the megabyte or more that it is for, that takes no time. */
  constructor(pool: Compressor, { bytes }: SharedSecret) {
    this.salt = newSalt();
    this.#pool = pool;
    this.#key = { material: deriveKey(bytes, this.salt, 3), strength: 3 };
    this.#mac = openMac(this.#key);
  }

  /** To be kept as a copy; see `forget`. */
  get material(): Buffer {
    return this.#key.material;
  }

  /** What lies before the encrypted bytes. */
  get head(): Buffer {
    return Buffer.concat([this.salt, verifierOf(this.#key)]);
  }

  /** Called with the blocks in their order, whichever is deflated first. */
  async encrypt(
    deflated: Promise<{ readonly data: Uint8Array }>,
    traced: boolean,
  ): Promise<{ readonly data: Uint8Array; readonly sum?: Uint8Array }> {
    const placed = Promise.all([this.#position, deflated]).then(([position, { data }]) => {
      return { data, position, end: position + data.length };
    });
    this.#position = placed.then(({ end }) => end);
    // Its failure is the block's own, which is told there.
    this.#position.catch(() => undefined);
    const { data, position } = await placed;
    const cipher = { key: this.#key.material, strength: this.#key.strength, position };
    return this.#pool.run('cipher', { data, cipher, traced });
  }

  /** Counts encrypted bytes in, in the order of the file. */
  written(bytes: Uint8Array): void {
    this.#mac.update(bytes);
  }

  /** What lies behind the encrypted bytes. */
  tail(): Buffer {
    return endMac(this.#mac);
  }

  /** Wipes the key. */
  forget(): void {
    this.#key.material.fill(0);
  }
}
