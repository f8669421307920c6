import { ArchiveDamage } from '../../base/damage.js';
import { withinTimes } from './pax.js';

/** A tar header block, decoded but not yet believed: ustar, GNU or the older v7 format. */
export interface TarHeader {
  /** The type flag as a character; NUL of the old format is `0`. */
  readonly type: string;
  /** Bytes as stored, the ustar prefix included. */
  readonly path: Buffer;
  readonly linkpath: Buffer;
  readonly size: number;
  readonly mode: number;
  /** Nanoseconds since 1970. */
  readonly mtime: bigint;
  readonly uid: number;
  readonly gid: number;
}

/** Everything in a tar is a multiple of this many bytes. */
export const tarBlock = 512;

const checksumAt = 148;
const checksumBytes = 8;

/** Decodes one block (POSIX.1-2017 pax, "ustar Interchange Format"; GNU base-256 numbers). Throws `ArchiveDamage`. */
export function parseHeader(block: Buffer): TarHeader {
  if (numberField(block, checksumAt, checksumBytes) !== checksum(block)) {
    throw new ArchiveDamage('structure-invalid', 'the checksum of a tar header is wrong');
  }
  const seconds = numberField(block, 136, 12);
  const mtime = Number.isSafeInteger(seconds) ? withinTimes(BigInt(seconds) * 1_000_000_000n) : undefined;
  if (mtime === undefined) throw malformed('time');
  return {
    type: block[156] === 0 ? '0' : String.fromCharCode(block[156] ?? 0),
    path: fullName(block),
    linkpath: textField(block, 157, 100),
    size: countField(block, 124, 12, 'size'),
    // Some writers record the type's bits too.
    mode: numberField(block, 100, 8) & 0o7777,
    mtime,
    uid: countField(block, 108, 8, 'owner'),
    gid: countField(block, 116, 8, 'group'),
  };
}

/** The sum of all bytes, those of the checksum itself taken as spaces. */
function checksum(block: Buffer): number {
  let sum = checksumBytes * 0x20;
  for (let i = 0; i < checksumAt; i++) sum += block[i] ?? 0;
  for (let i = checksumAt + checksumBytes; i < tarBlock; i++) sum += block[i] ?? 0;
  return sum;
}

const ustarMagic = Buffer.from('ustar\0');

/** The name, which only ustar splits: GNU tar keeps other things where the prefix would be. */
function fullName(block: Buffer): Buffer {
  const name = textField(block, 0, 100);
  if (block[345] === 0 || !block.subarray(257, 263).equals(ustarMagic)) return name;
  return Buffer.concat([textField(block, 345, 155), Buffer.from('/'), name]);
}

/** Up to the first NUL; without one, the whole field. */
function textField(block: Buffer, at: number, length: number): Buffer {
  const end = block.indexOf(0, at);
  return block.subarray(at, end === -1 || end > at + length ? at + length : end);
}

function countField(block: Buffer, at: number, length: number, what: string): number {
  const value = numberField(block, at, length);
  if (!Number.isSafeInteger(value) || value < 0) throw malformed(what);
  return value;
}

/** Octal digits between spaces, ended by a space or NUL; or, where the first bit is set, a big-endian integer. */
function numberField(block: Buffer, at: number, length: number): number {
  if ((block[at] ?? 0) >= 0x80) return base256(block, at, length);
  const end = at + length;
  let i = at;
  while (i < end && block[i] === 0x20) i++;
  let value = 0;
  for (; i < end; i++) {
    const digit = (block[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; i < end; i++) if (block[i] !== 0 && block[i] !== 0x20) throw malformed('number');
  return value;
}

/** Two's complement in all bits but the first, as GNU tar writes it. */
function base256(block: Buffer, at: number, length: number): number {
  const bits = length * 8 - 1;
  return Number(BigInt.asIntN(bits, BigInt(`0x${block.toString('hex', at, at + length)}`)));
}

const malformed = (what: string): ArchiveDamage =>
  new ArchiveDamage('structure-invalid', `a tar header holds a ${what} that is none`);
