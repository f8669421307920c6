import { isUtf8 } from 'node:buffer';

const controls = /[\p{Cc}\u2028\u2029]/gu;

/** A name for people and findings: bytes that are not UTF-8 and control characters as `\xff`, all else as it is. */
export function displayName(name: string | Buffer): string {
  return (typeof name === 'string' ? name : decodeEscaped(name)).replace(controls, (c) =>
    [...Buffer.from(c)].map(escaped).join(''),
  );
}

function decodeEscaped(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const sequence = bytes.subarray(at, at + sequenceBytes(bytes[at] ?? 0));
    text += isUtf8(sequence) ? sequence.toString() : escaped(bytes[at] ?? 0);
    at += isUtf8(sequence) ? sequence.length : 1;
  }
  return text;
}

/** Bytes of the UTF-8 sequence that begins so. */
function sequenceBytes(lead: number): number {
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc0 ? 2 : 1;
}

function escaped(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
