/**
 * Just enough of WebAssembly's binary format (WebAssembly 2.0, chapter 5) to write a module by hand. An instruction is its
 * bytes; what it takes from the stack comes before it.
 */
export type Code = readonly number[];

/** Unsigned LEB128 (5.2.2). */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}

/** Signed LEB128 of a 32-bit integer. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (; rest < -0x40 || rest > 0x3f; rest >>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest & 0x7f];
}

export const localGet = (index: number): Code => [0x20, ...unsigned(index)];
export const localSet = (index: number): Code => [0x21, ...unsigned(index)];
export const localTee = (index: number): Code => [0x22, ...unsigned(index)];
export const call = (index: number): Code => [0x10, ...unsigned(index)];
export const i32Const = (value: number): Code => [0x41, ...signed(value)];
const i32Sub: Code = [0x6b];

const vector = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
export const splat = vector(0x11);
export const or = vector(0x50);
export const xor = vector(0x51);
/** Takes two vectors and a mask: bits of the first where the mask has ones. */
export const bitselect = vector(0x52);
export const add = vector(0xae);
export const shiftLeft = (bits: number): Code => [...i32Const(bits), ...vector(0xab)];
export const shiftRight = (bits: number): Code => [...i32Const(bits), ...vector(0xad)];

/** A vector from the memory; addresses are multiples of 16. */
export const load = (address: number): Code => [...i32Const(0), ...vector(0x00), 4, ...unsigned(address)];
export const store = (address: number, value: Code): Code => [
  ...i32Const(0),
  ...value,
  ...vector(0x0b),
  4,
  ...unsigned(address),
];

/** `body` as many times as the local says, at least once; the local ends as 0. */
export const repeat = (local: number, body: Code): Code => [
  ...[0x03, 0x40, ...body, ...localGet(local), ...i32Const(1), ...i32Sub, ...localTee(local)],
  ...[0x0d, 0x00, 0x0b],
];

export interface WasmFunction {
  readonly name: string;
  /** 32-bit integers, the first locals. */
  readonly parameters: number;
  /** Vectors, the locals behind them. */
  readonly vectors: number;
  readonly body: Code;
}

const i32 = 0x7f;
const v128 = 0x7b;

const list = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const sized = (bytes: Code): Code => [...unsigned(bytes.length), ...bytes];
const section = (id: number, items: readonly Code[]): Code => [id, ...sized(list(items))];
const named = (name: string): Code => sized([...Buffer.from(name)]);

/** A module of these functions (numbered as they come) and one page of memory, all exported. */
export function wasmModule(functions: readonly WasmFunction[]): Uint8Array {
  const types = functions.map(({ parameters }) => [0x60, ...list(Array<Code>(parameters).fill([i32])), 0]);
  const bodies = functions.map(({ vectors, body }) =>
    sized([...list(vectors === 0 ? [] : [[...unsigned(vectors), v128]]), ...body, 0x0b]),
  );
  const exported = functions.map(({ name }, index) => [...named(name), 0, ...unsigned(index)]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(
      3,
      functions.map((_, index) => unsigned(index)),
    ),
    ...section(5, [[0, 1]]),
    ...section(7, [[...named('memory'), 2, 0], ...exported]),
    ...section(10, bodies),
  ]);
}
