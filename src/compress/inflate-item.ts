import { constants, crc32, inflateRawSync } from 'node:zlib';
import { errorText, systemCode } from '../base/errors.js';
import type { InflatedItem, InflateItem } from './jobs.js';

/** Node's `info` option, whose result its types leave out: how much of the input the stream took. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** Thrown where a stream holds more than it may: it is not inflated further. */
class MoreThanDeclared extends Error {}

/** Inflates exactly all of `data`, one whole stream; throws an `Error` that says what is wrong. */
export function inflateWhole(data: Uint8Array, size: number): Buffer {
  const finishFlush = constants.Z_FINISH;
  // One byte more than declared is let through, so that "more than declared" is told from "exactly".
  const options = { info: true, finishFlush, maxOutputLength: size + 1, chunkSize: Math.max(64, size + 1) };
  let inflated: Inflated;
  try {
    inflated = inflateRawSync(data, options) as unknown as Inflated;
  } catch (error) {
    if (systemCode(error) === 'ERR_BUFFER_TOO_LARGE') throw new MoreThanDeclared(`holds more than ${size} bytes`);
    throw new Error(`cannot be inflated: ${errorText(error)}`, { cause: error });
  }
  if (inflated.engine.bytesWritten !== data.length) throw new Error('has data behind the end of its deflate stream');
  return inflated.buffer;
}

/** The content of an item that is not encrypted (any more), or why there is none. */
export function inflateItem(
  packed: Uint8Array,
  item: Pick<InflateItem, 'method' | 'size' | 'crc'>,
): { readonly content: Uint8Array } | Extract<InflatedItem, { readonly damage: unknown }> {
  let content: Uint8Array;
  try {
    content = item.method === 0 ? packed : inflateWhole(packed, item.size);
  } catch (error) {
    const damage = error instanceof MoreThanDeclared ? 'size-mismatch' : 'content-undecodable';
    return { damage, message: errorText(error) };
  }
  if (content.length !== item.size) {
    return { damage: 'size-mismatch', message: `expected ${item.size} bytes, found ${content.length}` };
  }
  const crc = item.crc === undefined ? undefined : crc32(content);
  if (crc !== undefined && item.crc !== undefined && crc !== item.crc) {
    return { damage: 'crc-mismatch', message: `expected CRC-32 ${hex32(item.crc)}, found ${hex32(crc)}` };
  }
  return { content };
}

export const hex32 = (value: number): string => value.toString(16).padStart(8, '0');
