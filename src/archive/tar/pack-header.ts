import type { Header } from 'tar-stream';
import { never } from '../../base/errors.js';
import type { EntryHeader, EntryKind } from '../archive.js';
import { recordableTarget } from '../link-target.js';
import { formatPaxTime } from './pax.js';

/** tar-stream's header as far as it is given here; `pax` holds the records it adds. */
export type PackHeader = Pick<Header, 'name' | 'size' | 'mode' | 'mtime' | 'type' | 'uid' | 'gid'> & {
  linkname?: string;
  pax?: Record<string, string>;
};

/** The largest id tar-stream's six octal digits hold; it writes sevens for a larger one. */
const maxOctalId = 0o777777;
/** Eleven octal digits. */
const maxOctalSize = 0o77777777777;
const maxName = 100;
const maxSeconds = 2n ** 31n - 1n;

const beyondAscii = /[^\0-\x7f]/;

/**
 * An entry as tar-stream takes it: what a ustar header holds, and pax records for what it does not. Throws a
 * `RangeError` on what no reader of ours would accept.
 */
export function packHeader(entry: EntryHeader): PackHeader {
  const pax: Record<string, string> = {};
  const name = entry.kind === 'directory' ? `${entry.path}/` : entry.path;
  const header: PackHeader = {
    name,
    // With the type's bits, because tar-stream takes mode 0 for "not given".
    mode: typeBits(entry.kind) | (entry.mode & 0o7777),
    uid: octalOr(pax, 'uid', entry.uid, maxOctalId),
    gid: octalOr(pax, 'gid', entry.gid, maxOctalId),
    size: entry.kind === 'file' ? entry.size : 0,
    mtime: new Date(wholeSeconds(pax, entry.mtime) * 1000),
    type: entry.kind === 'link' ? 'symlink' : entry.kind,
  };
  if (entry.kind === 'file') octalOr(pax, 'size', entry.size, maxOctalSize);
  if (entry.kind === 'link') header.linkname = recordableTarget(entry);
  // Given records, even none, make tar-stream write the names as records too.
  const long = needsRecord(name) || needsRecord(entry.target ?? '');
  if (long || Object.keys(pax).length > 0) header.pax = pax;
  return header;
}

const needsRecord = (text: string): boolean => text.length > maxName || beyondAscii.test(text);

function typeBits(kind: EntryKind): number {
  switch (kind) {
    case 'file':
      return 0o100000;
    case 'directory':
      return 0o040000;
    case 'link':
      return 0o120000;
    default:
      return never(kind);
  }
}

/** The value as the header's own field takes it; a record is added where that is not the whole truth. */
function octalOr(pax: Record<string, string>, key: string, value: number, max: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${key} ${value} cannot be recorded`);
  if (value <= max) return value;
  pax[key] = String(value);
  return max;
}

/** Seconds that fit the header's own field, rounded down; a record is added where they are not the whole truth. */
function wholeSeconds(pax: Record<string, string>, nanoseconds: bigint): number {
  const remainder = nanoseconds % 1_000_000_000n;
  const seconds = (nanoseconds - remainder) / 1_000_000_000n;
  const whole = remainder < 0n ? seconds - 1n : seconds;
  if (remainder !== 0n || whole < 0n || whole > maxSeconds) pax['mtime'] = formatPaxTime(nanoseconds);
  if (whole < 0n) return 0;
  return Number(whole > maxSeconds ? maxSeconds : whole);
}
