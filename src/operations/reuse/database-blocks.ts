import type { EarlierBlocks, PackedPlace } from '../../archive/archive.js';
import { blockStarts } from '../../archive/blocks-place.js';
import { contentSumAt, packedSumAt } from '../../archive/block-sums.js';
import type { Passphrase } from '../../base/passphrase.js';
import { headBytes, verifierOf, type EntryKey } from '../../compress/aes.js';
import { deriveKey, saltBytes } from '../../compress/derive-key.js';
import type { Compressor } from '../../compress/compressor.js';

export interface EarlierPlace {
  /** Where the database lies in the earlier archive. */
  readonly place: PackedPlace;
  /** Reads packed bytes; undefined where they do not have their sum any longer. */
  readonly read: (start: number, size: number, sum: Buffer) => Promise<Buffer | undefined>;
  readonly pool: Compressor;
  /** Of the earlier archive, where that is encrypted. */
  readonly passphrase: Passphrase | undefined;
}

/** None are known; their sums are wanted all the same. */
export const noBlocks: EarlierBlocks = {
  content: () => undefined,
  read: () => Promise.resolve(undefined),
  forget: () => undefined,
};

/**
 * The blocks of a database in an earlier archive. Encrypted ones are decrypted under the salt that they have there: under the
 * database's new salt they are encrypted again.
 */
export class DatabaseBlocks implements EarlierBlocks {
  readonly #earlier: EarlierPlace;
  /** Where each lies, in bytes behind the first. */
  readonly #starts: readonly number[];
  #key: EntryKey | undefined;
  #isForgotten = false;

  constructor(earlier: EarlierPlace) {
    this.#earlier = earlier;
    this.#starts = blockStarts(earlier.place.blocks?.sizes ?? [], 0);
  }

  content(index: number, last: boolean): Uint8Array | undefined {
    const { blocks } = this.#earlier.place;
    if (this.#isForgotten || blocks === undefined || index >= blocks.sizes.length) return undefined;
    // The last block ends the stream, and no other.
    if (last !== (index === blocks.sizes.length - 1)) return undefined;
    return contentSumAt(blocks, index);
  }

  async read(index: number): Promise<{ readonly packed: Buffer; readonly sum: Buffer | undefined } | undefined> {
    const { place, read } = this.#earlier;
    const [start, size, blocks] = [this.#starts[index], place.blocks?.sizes[index], place.blocks];
    if (blocks === undefined || start === undefined || size === undefined) return undefined;
    const sum = packedSumAt(blocks, index);
    const packed = await read(place.offset + blocks.head.length + start, size, sum);
    if (packed === undefined || blocks.head.length === 0) return packed === undefined ? undefined : { packed, sum };
    return this.#decrypted(packed, start, blocks.head);
  }

  forget(): void {
    this.#isForgotten = true;
    this.#key?.material.fill(0);
    this.#key = undefined;
  }

  async #decrypted(
    data: Buffer,
    position: number,
    head: Buffer,
  ): Promise<{ readonly packed: Buffer; readonly sum: undefined } | undefined> {
    const { pool, passphrase } = this.#earlier;
    if (this.#isForgotten || passphrase === undefined) return undefined;
    this.#key ??= keyOf(passphrase, head);
    if (this.#key === undefined) return undefined;
    const { material: key, strength } = this.#key;
    const clear = await pool.run('cipher', { data, cipher: { key, strength, position } });
    const { buffer, byteOffset, byteLength } = clear.data;
    return { packed: Buffer.from(buffer, byteOffset, byteLength), sum: undefined };
  }
}

/** `head`: salt and verifier. Undefined where the verifier is not this passphrase's. */
function keyOf({ bytes }: Passphrase, head: Buffer): EntryKey | undefined {
  if (head.length !== headBytes(3)) return undefined;
  const salt = head.subarray(0, saltBytes[3]);
  const key = { material: deriveKey(bytes, salt, 3), strength: 3 } as const;
  if (verifierOf(key).equals(head.subarray(salt.length))) return key;
  key.material.fill(0);
  return undefined;
}
