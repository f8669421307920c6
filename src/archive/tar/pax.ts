import { ArchiveDamage } from '../../base/damage.js';
import { limits } from '../../base/limits.js';

/** What a pax extended header (POSIX.1-2017 pax, "pax Extended Header") can say that a reader here heeds. */
export interface PaxValues {
  /** Bytes as stored. */
  path?: Buffer;
  linkpath?: Buffer;
  size?: number;
  /** Nanoseconds since 1970. */
  mtime?: bigint;
  uid?: number;
  gid?: number;
  /** GNU tar's `GNU.sparse.*` records: the content is a map and pieces, not the file. */
  sparse?: true;
}

const billion = 1_000_000_000n;
/** The range of JavaScript's dates, in seconds: 273,000 years to either side. */
const maxSeconds = 8_640_000_000_000n;

/** Decimal seconds, exact to the nanosecond: `-1.5` is one and a half seconds before 1970. */
export function formatPaxTime(nanoseconds: bigint): string {
  const magnitude = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const fraction = (magnitude % billion).toString().padStart(9, '0').replace(/0+$/, '');
  return `${nanoseconds < 0n ? '-' : ''}${magnitude / billion}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Nanoseconds, rounded down where more than nine decimals are given; undefined where it is no time. */
export function parsePaxTime(text: string): bigint | undefined {
  const match = /^(-?)(\d{1,14})(?:\.(\d{0,64}))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign = '', seconds = '', decimals = ''] = match;
  const magnitude = BigInt(seconds) * billion + BigInt(decimals.slice(0, 9).padEnd(9, '0'));
  if (sign === '') return withinTimes(magnitude);
  return withinTimes(/[1-9]/.test(decimals.slice(9)) ? -magnitude - 1n : -magnitude);
}

/** The time, or undefined where it lies outside what dates can tell. */
export function withinTimes(nanoseconds: bigint): bigint | undefined {
  const magnitude = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  return magnitude <= maxSeconds * billion ? nanoseconds : undefined;
}

const space = 0x20;
const equals = 0x3d;
const newline = 0x0a;

/** Reads all records of one header, strictly: `<length> <key>=<value>\n`, one behind the other, nothing else. */
export function parsePax(data: Buffer): PaxValues {
  const values: PaxValues = {};
  let at = 0;
  while (at < data.length) {
    const length = recordLength(data, at);
    const keyAt = data.indexOf(space, at) + 1;
    const end = at + length - 1;
    const valueAt = data.indexOf(equals, keyAt) + 1;
    if (data[end] !== newline || valueAt <= keyAt + 1 || valueAt > end) throw malformed('a record is malformed');
    setValue(values, data.toString('latin1', keyAt, valueAt - 1), data.subarray(valueAt, end));
    at += length;
  }
  return values;
}

/** The length a record names, which counts itself: decimal, without leading zeros, within the data. */
function recordLength(data: Buffer, at: number): number {
  let length = 0;
  let digits = 0;
  for (let byte = data[at]; byte !== space; byte = data[at + digits]) {
    const digit = (byte ?? 0) - 0x30;
    if (digit < 0 || digit > 9 || digits >= 8 || (digits === 0 && digit === 0))
      throw malformed('a length is malformed');
    length = length * 10 + digit;
    digits += 1;
  }
  if (length < digits + 4 || at + length > data.length) throw malformed('a length is wrong');
  return length;
}

function setValue(values: PaxValues, key: string, value: Buffer): void {
  switch (key) {
    case 'path':
    case 'linkpath':
      if (values[key] !== undefined || value.length === 0) throw malformed(`${key} is empty or told twice`);
      values[key] = value;
      return;
    case 'size':
    case 'uid':
    case 'gid':
      if (values[key] !== undefined) throw malformed(`${key} is told twice`);
      values[key] = parseCount(key, value);
      return;
    case 'mtime': {
      const time = value.length > 128 ? undefined : parsePaxTime(value.toString('latin1'));
      if (values.mtime !== undefined || time === undefined) throw malformed('mtime is no time or told twice');
      values.mtime = time;
      return;
    }
    default:
      if (key.startsWith('GNU.sparse.')) values.sparse = true;
  }
}

function parseCount(key: string, value: Buffer): number {
  const text = value.length > 16 ? '' : value.toString('latin1');
  const count = Number(text);
  if (!/^\d+$/.test(text) || count > limits.maxFileBytes) throw malformed(`${key} is no number`);
  return count;
}

const malformed = (what: string): ArchiveDamage => new ArchiveDamage('structure-invalid', `a pax header: ${what}`);
