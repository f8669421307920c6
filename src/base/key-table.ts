import { createHash } from 'node:crypto';

/** Of a name's SHA-256: too many for anybody to find two names that agree in them. */
const keyBytes = 16;
const recordsPerPage = 4096;
const firstSlots = 8192;

/** Names, each with a few bytes: names are kept by their hash alone, so that millions of them fit into memory. */
export class KeyTable {
  readonly #recordBytes: number;
  readonly #pages: Buffer[] = [];
  /** Numbers of records, from 1, in an open hash table: the first bytes of a hash are as good as random. */
  #slots = new Uint32Array(firstSlots);
  #count = 0;

  /** `valueBytes`: what is kept with each name. */
  constructor(valueBytes: number) {
    this.#recordBytes = keyBytes + valueBytes;
  }

  /** What is kept with the name, as a view that may be written to; undefined where it is not known. */
  find(name: string): Buffer | undefined {
    return this.#find(keyOf(name));
  }

  /** The same; an unknown name is known from now on, with zeros. */
  room(name: string): Buffer {
    const key = keyOf(name);
    return this.#find(key) ?? this.#add(key);
  }

  #find(key: Buffer): Buffer | undefined {
    for (let slot = this.#slotOf(key); ; slot = (slot + 1) % this.#slots.length) {
      const number = this.#slots[slot] ?? 0;
      if (number === 0) return undefined;
      const record = this.#record(number);
      if (key.compare(record, 0, keyBytes) === 0) return record.subarray(keyBytes);
    }
  }

  #add(key: Buffer): Buffer {
    if (this.#count % recordsPerPage === 0) this.#pages.push(Buffer.alloc(recordsPerPage * this.#recordBytes));
    this.#count += 1;
    const record = this.#record(this.#count);
    record.set(key, 0);
    if (2 * this.#count > this.#slots.length) this.#grow();
    else this.#put(this.#count);
    return record.subarray(keyBytes);
  }

  #record(number: number): Buffer {
    const at = ((number - 1) % recordsPerPage) * this.#recordBytes;
    const page = this.#pages[Math.floor((number - 1) / recordsPerPage)];
    if (page === undefined) throw new RangeError(`there is no name ${number}`);
    return page.subarray(at, at + this.#recordBytes);
  }

  #slotOf = (key: Buffer): number => key.readUInt32LE(0) % this.#slots.length;

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

const keyOf = (name: string): Buffer => createHash('sha256').update(name).digest().subarray(0, keyBytes);
