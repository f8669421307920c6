import { derivedBytes, saltBytes } from '../compress/derive-key.js';

/** Beyond so many entries, keys are derived again instead of kept. */
const maxKeys = 1_000_000;

const saltLength = saltBytes[3];
const keyLength = derivedBytes(3);
const recordBytes = saltLength + keyLength;
const recordsPerPage = 4096;
const firstSlots = 8192;

/**
 * The keys of the AES-256 entries of an archive that is being written, for reading it back: each under its salt, in a few
 * large buffers. `forget` wipes them.
 */
export class KeptKeys {
  readonly #max: number;
  readonly #pages: Buffer[] = [];
  /** Numbers of records, from 1, in an open hash table: a salt is random, and so are its first bytes. */
  #slots = new Uint32Array(firstSlots);
  #count = 0;

  constructor(max = maxKeys) {
    this.#max = max;
  }

  /** Both are copied. */
  add(salt: Buffer, key: Buffer): void {
    if (this.#count >= this.#max) return;
    if (this.#count % recordsPerPage === 0) this.#pages.push(Buffer.alloc(recordsPerPage * recordBytes));
    this.#count += 1;
    const record = this.#record(this.#count);
    record.set(salt, 0);
    record.set(key, saltLength);
    if (2 * this.#count > this.#slots.length) this.#grow();
    else this.#put(this.#count);
  }

  /** A view, to be copied; undefined where the salt is not known. */
  find(salt: Buffer): Buffer | undefined {
    if (salt.length !== saltLength) return undefined;
    for (let slot = this.#slotOf(salt); ; slot = (slot + 1) % this.#slots.length) {
      const number = this.#slots[slot] ?? 0;
      if (number === 0) return undefined;
      const record = this.#record(number);
      if (record.subarray(0, saltLength).equals(salt)) return record.subarray(saltLength);
    }
  }

  forget(): void {
    for (const page of this.#pages.splice(0)) page.fill(0);
    this.#slots = new Uint32Array(firstSlots);
    this.#count = 0;
  }

  #record(number: number): Buffer {
    const at = ((number - 1) % recordsPerPage) * recordBytes;
    const page = this.#pages[Math.floor((number - 1) / recordsPerPage)];
    if (page === undefined) throw new RangeError(`there is no key ${number}`);
    return page.subarray(at, at + recordBytes);
  }

  #slotOf = (salt: Buffer): number => salt.readUInt32LE(0) % this.#slots.length;

  #put(number: number): void {
    let slot = this.#slotOf(this.#record(number));
    while (this.#slots[slot] !== 0) slot = (slot + 1) % this.#slots.length;
    this.#slots[slot] = number;
  }

  #grow(): void {
    this.#slots = new Uint32Array(2 * this.#slots.length);
    for (let number = 1; number <= this.#count; number += 1) this.#put(number);
  }
}
