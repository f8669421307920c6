import { isUtf8 } from 'node:buffer';

/** Bytes. Nobody types more: what is longer is another file than was meant. */
export const longestPassphrase = 1024;

/** Bytes. 7-Zip (26.02, measured) opens no zip with a longer one, nor makes one. */
const longestForTools = 99;

/** Characters. Fewer can be guessed: the zip format derives its keys by 1,000 rounds only. */
const shortPassphrase = 12;

// Nothing here makes a text of the bytes: a text cannot be wiped.

/** Why bytes cannot be a passphrase ("is empty"); undefined where they can. */
export function passphraseFault(bytes: Buffer): string | undefined {
  if (bytes.length === 0) return 'is empty';
  if (bytes.length > longestPassphrase) return `is longer than ${longestPassphrase} bytes`;
  if (!isUtf8(bytes)) return 'is not UTF-8 text';
  if (byteOrderMark.equals(bytes.subarray(0, byteOrderMark.length))) return 'begins with a byte order mark (U+FEFF)';
  if (bytes.some((byte, at) => isControl(byte, bytes[at - 1])))
    return 'has a line end or another control character in it';
  return undefined;
}

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** C0, DEL and, in two bytes, C1. */
const isControl = (byte: number, before: number | undefined): boolean =>
  byte < 0x20 || byte === 0x7f || (before === 0xc2 && byte < 0xa0);

/** Why a passphrase that can be used should make no new archive. */
export function newPassphraseFault(bytes: Buffer): string | undefined {
  if (bytes.length <= longestForTools) return undefined;
  return `has ${bytes.length} bytes; with more than ${longestForTools}, 7-Zip could not open the archive`;
}

export function isShortPassphrase(bytes: Buffer): boolean {
  const characters = bytes.reduce((count, byte) => count + ((byte & 0xc0) === 0x80 ? 0 : 1), 0);
  return characters < shortPassphrase;
}
