import type { ZipEntry } from './zip-entry.js';
import { entryKey, type Unlocked } from './unlocked.js';
import { sealOf } from './entry-seal.js';
import type { ByteSource } from '../../base/byte-source.js';
import { ArchiveDamage } from '../../base/damage.js';
import {
  endMac,
  headBytes,
  macBytes,
  openMac,
  otherMac,
  otherVerifier,
  verifierOf,
  type EntryKey,
  type Mac,
} from '../../compress/aes.js';
import { saltBytes } from '../../compress/derive-key.js';
import type { CipherPlace } from '../../compress/jobs.js';
import type { Compressor } from '../../compress/compressor.js';

export interface SealedPlace {
  readonly source: ByteSource;
  /** An encrypted one. */
  readonly entry: ZipEntry;
  /** Where the salt begins. */
  readonly dataStart: number;
}

/** Decrypts a large entry while it is read. What it gives is believed only once `prove` has not thrown. */
export class LargeOpening {
  /** Where the encrypted bytes begin. */
  readonly start: number;
  readonly length: number;
  readonly #place: SealedPlace;
  readonly #pool: Compressor;
  readonly #key: EntryKey;
  readonly #mac: Mac;

  private constructor(place: SealedPlace, pool: Compressor, key: EntryKey) {
    this.#place = place;
    this.#pool = pool;
    this.#key = key;
    this.#mac = openMac(key);
    const head = headBytes(key.strength);
    this.start = place.dataStart + head;
    this.length = place.entry.packedSize - head - macBytes;
  }

  /** Throws `ArchiveDamage` where the entry is not encrypted with this passphrase. */
  static async begin(place: SealedPlace, pool: Compressor, unlocked: Unlocked): Promise<LargeOpening> {
    const strength = sealOf(place.entry)?.strength;
    if (strength === undefined) throw new RangeError(`${place.entry.header.path} is not encrypted`);
    const head = await place.source.read(place.dataStart, headBytes(strength));
    const key = entryKey(unlocked, head.subarray(0, saltBytes[strength]), strength);
    const opening = new LargeOpening(place, pool, key);
    if (!verifierOf(key).equals(head.subarray(saltBytes[strength]))) {
      opening.forget();
      throw opening.#damage(otherVerifier);
    }
    return opening;
  }

  /** Called with all encrypted bytes, in order, before they are decrypted. */
  seen(encrypted: Buffer): void {
    this.#mac.update(encrypted);
  }

  /** For decrypting what lies `position` bytes behind `start`. */
  at(position: number): CipherPlace {
    return { key: this.#key.material, strength: this.#key.strength, position };
  }

  /** `encrypted` is transferred away. */
  async decrypt(encrypted: Buffer, position: number): Promise<Buffer> {
    const { data } = await this.#pool.run('cipher', { data: encrypted, cipher: this.at(position) });
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  }

  /** Throws `ArchiveDamage` where what was seen is not what was encrypted. */
  async prove(): Promise<void> {
    const mac = await this.#place.source.read(this.start + this.length, macBytes);
    if (!endMac(this.#mac).equals(mac)) throw this.#damage(otherMac);
  }

  /** Wipes the key. */
  forget(): void {
    this.#key.material.fill(0);
  }

  #damage(message: string): ArchiveDamage {
    return new ArchiveDamage('authentication-failed', message, this.#place.entry.header.path);
  }
}
