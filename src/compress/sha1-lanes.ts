import {
  add,
  bitselect,
  call,
  i32Const,
  load,
  localGet,
  localSet,
  localTee,
  or,
  repeat,
  shiftLeft,
  shiftRight,
  splat,
  store,
  wasmModule,
  xor,
  type Code,
} from './wasm.js';

/**
 * The rounds of PBKDF2-HMAC-SHA1 (RFC 8018 5.2) for four blocks of output at once, one in each lane of a vector: what a zip's
 * AES-256 key takes. OpenSSL 3.0 spends most of such short rounds on copying contexts; this is three times as fast.
 */
export interface Sha1Lanes {
  /**
   * `key`: the HMAC key, padded to one SHA-1 block (64 bytes). `salt`: exactly 16 bytes. Gives the first 80 bytes of output.
   */
  derive(key: Buffer, salt: Buffer, rounds: number): Buffer;
}

const lanes = 4;
const vectorBytes = 16;
const stateWords = 5;
const blockWords = 16;

/** Places in the module's memory: the block and state of a compression, both HMAC states, the sum of the rounds. */
const block = 0;
const state = block + blockWords * vectorBytes;
const inner = state + stateWords * vectorBytes;
const outer = inner + stateWords * vectorBytes;
const sum = outer + stateWords * vectorBytes;
const usedBytes = sum + stateWords * vectorBytes;

/** FIPS 180-4 5.3.1 and 4.2.1. */
const initialState = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
const constants = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6];

const words = (count: number): readonly number[] => [...Array(count).keys()];

/** SHA-1's compression (FIPS 180-4 6.1.2) of `block` into `state`, in every lane. */
function compression(): Code {
  const spare = blockWords + stateWords;
  const constant = (index: number): number => spare + 1 + index;
  const rotated = (value: Code, bits: number): Code => [
    ...[...value, ...localTee(spare), ...shiftLeft(bits)],
    ...[...localGet(spare), ...shiftRight(32 - bits), ...or],
  ];
  const variables = words(stateWords).map((index) => blockWords + index);
  const code: number[] = [
    ...words(blockWords).flatMap((word) => [...load(block + word * vectorBytes), ...localSet(word)]),
    ...variables.flatMap((local, index) => [...load(state + index * vectorBytes), ...localSet(local)]),
    ...constants.flatMap((value, index) => [...i32Const(value), ...splat, ...localSet(constant(index))]),
  ];
  for (let round = 0; round < 80; round += 1) {
    const at = (back: number): Code => localGet((round + blockWords - back) % blockWords);
    const word = round % blockWords;
    if (round >= blockWords) {
      const mixed = [...at(3), ...at(8), ...xor, ...at(14), ...xor, ...at(16), ...xor];
      code.push(...rotated(mixed, 1), ...localSet(word));
    }
    // What a round calls a to e moves on by one variable instead of by a copy of each.
    const [a = 0, b = 0, c = 0, d = 0, e = 0] = words(stateWords).map(
      (index) => variables[(index + 80 - round) % stateWords],
    );
    const phase = Math.floor(round / 20);
    code.push(...localGet(e), ...localGet(word), ...add, ...localGet(constant(phase)), ...add);
    code.push(...choice(phase, [localGet(b), localGet(c), localGet(d)]), ...add);
    code.push(...rotated(localGet(a), 5), ...add, ...localSet(e), ...rotated(localGet(b), 30), ...localSet(b));
  }
  const added = variables.flatMap((local, index) => {
    const address = state + index * vectorBytes;
    return store(address, [...load(address), ...localGet(local), ...add]);
  });
  return [...code, ...added];
}

/** Ch, Parity and Maj (FIPS 180-4 4.1.1). */
function choice(phase: number, [b, c, d]: readonly [Code, Code, Code]): Code {
  if (phase === 0) return [...c, ...d, ...b, ...bitselect];
  // Where b and c differ, d decides; where they do not, both do.
  if (phase === 2) return [...d, ...b, ...b, ...c, ...xor, ...bitselect];
  return [...b, ...c, ...xor, ...d, ...xor];
}

const copied = (from: number, to: number): Code =>
  words(stateWords).flatMap((index) => store(to + index * vectorBytes, load(from + index * vectorBytes)));

/** One HMAC of `block`, which leaves its result there as the next one's message, added to `sum`. */
function round(): Code {
  const half = (from: number): Code => [...copied(from, state), ...call(0), ...copied(state, block)];
  const added = words(stateWords).flatMap((index) => {
    const offset = index * vectorBytes;
    return store(sum + offset, [...load(sum + offset), ...load(state + offset), ...xor]);
  });
  return [...half(inner), ...half(outer), ...added];
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  compress(): void;
  iterate(rounds: number): void;
}

/** What of the global `WebAssembly` is used: the types of Node.js do not have it. */
interface Wasm {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

/** Undefined where the machine has no vectors of this sort. */
export function openSha1Lanes(): Sha1Lanes | undefined {
  const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly?: Wasm };
  if (wasm === undefined) return undefined;
  const program = wasmModule([
    { name: 'compress', parameters: 0, vectors: blockWords + stateWords + 1 + constants.length, body: compression() },
    { name: 'iterate', parameters: 1, vectors: 0, body: repeat(0, round()) },
  ]);
  try {
    return new Lanes(new wasm.Instance(new wasm.Module(program)).exports as Exports);
  } catch {
    return undefined;
  }
}

class Lanes implements Sha1Lanes {
  readonly #program: Exports;
  readonly #memory: Uint32Array;

  constructor(program: Exports) {
    this.#program = program;
    this.#memory = new Uint32Array(program.memory.buffer, 0, usedBytes / 4);
  }

  derive(key: Buffer, salt: Buffer, rounds: number): Buffer {
    try {
      this.#keyState(key, 0x36363636, inner);
      this.#keyState(key, 0x5c5c5c5c, outer);
      // The first message is the salt and the number of the output block, each later one the digest before it. Both have 20
      // bytes behind the key's block, so that their padding is the same (RFC 3174 4).
      for (const word of words(4)) this.#set(block, word, salt.readUInt32BE(4 * word));
      for (const lane of words(lanes)) this.#memory[block / 4 + 4 * lanes + lane] = lane + 1;
      this.#set(block, 5, 0x80000000);
      for (let word = 6; word < 15; word += 1) this.#set(block, word, 0);
      this.#set(block, 15, (64 + 20) * 8);
      this.#program.iterate(rounds);
      return this.#output();
    } finally {
      this.#memory.fill(0);
    }
  }

  /** The state of an HMAC after its key (RFC 2104). */
  #keyState(key: Buffer, pad: number, to: number): void {
    for (const word of words(blockWords)) this.#set(block, word, key.readUInt32BE(4 * word) ^ pad);
    for (const [word, value] of initialState.entries()) this.#set(state, word, value);
    this.#program.compress();
    this.#memory.copyWithin(to / 4, state / 4, state / 4 + stateWords * lanes);
  }

  #set(address: number, word: number, value: number): void {
    const at = address / 4 + word * lanes;
    this.#memory.fill(value, at, at + lanes);
  }

  #output(): Buffer {
    const bytes = Buffer.alloc(4 * stateWords * lanes);
    for (const lane of words(lanes)) {
      for (const word of words(stateWords)) {
        const value = this.#memory[sum / 4 + word * lanes + lane] ?? 0;
        bytes.writeUInt32BE(value, 4 * (stateWords * lane + word));
      }
    }
    return bytes;
  }
}
