import { crc32, deflateRawSync } from 'node:zlib';

/**
 * Zip files from records told field by field, so that a test can lie in any of them. Knows nothing of `src`: what it
 * writes follows APPNOTE 6.3.10, whatever the writer under test believes.
 */
export interface RecordFields {
  readonly signature: number;
  readonly madeBy: number;
  readonly needed: number;
  readonly flags: number;
  readonly method: number;
  readonly time: number;
  readonly date: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
  readonly name: Buffer;
  readonly extra: Buffer;
  /** Central record only. */
  readonly comment: Buffer;
  readonly attributes: number;
  readonly offset: number;
  /** Lengths as told; by default what is there. */
  readonly nameLength: number;
  readonly extraLength: number;
  readonly commentLength: number;
}

export interface RawEntry {
  readonly name?: string | Buffer;
  readonly content?: string | Buffer;
  /** Unix mode with its type bits; by default a file's, or a folder's where the name ends with a slash. */
  readonly mode?: number;
  /** 0 (stored) unless told otherwise. */
  readonly method?: number;
  readonly flags?: number;
  /** Bytes as they lie in the file, where not `content` packed by `method`. */
  readonly data?: Buffer;
  readonly extra?: Buffer;
  /** Behind the data. */
  readonly descriptor?: Buffer;
  /** Before the local record: belongs to nobody. */
  readonly gap?: Buffer;
  readonly local?: Partial<RecordFields>;
  readonly central?: Partial<RecordFields>;
  /** No local record and no data. */
  readonly centralOnly?: boolean;
}

export interface RawEnd {
  readonly disk?: number;
  readonly entriesHere?: number;
  readonly entries?: number;
  readonly bytes?: number;
  readonly offset?: number;
  readonly comment?: string | Buffer;
  readonly commentLength?: number;
  /** Zip64 records, with these values where they differ from the true ones. */
  readonly zip64?: Partial<
    Record<'recordSize' | 'entriesHere' | 'entries' | 'bytes' | 'offset' | 'locatedAt' | 'disks', bigint>
  >;
  /** Between the last entry and the central directory. */
  readonly gap?: Buffer;
  /** Between the central directory and what ends it. */
  readonly gapBehind?: Buffer;
  /** Behind the end. */
  readonly behind?: Buffer;
  /** The order of the central records, by the entries' numbers. */
  readonly order?: readonly number[];
}

const none = Buffer.alloc(0);

/** An extra field. */
export function extra(id: number, data: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id, 0);
  head.writeUInt16LE(data.length, 2);
  return Buffer.concat([head, data]);
}

export function uint64s(...values: readonly (number | bigint)[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8);
  values.forEach((value, index) => bytes.writeBigUInt64LE(BigInt(value), index * 8));
  return bytes;
}

/** Little-endian. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

/** Signature, CRC and sizes of 4 bytes each. */
export function descriptor(crc: number, packedSize: number, size: number): Buffer {
  const bytes = Buffer.alloc(16);
  [0x08074b50, crc, packedSize, size].forEach((value, index) => bytes.writeUInt32LE(value, index * 4));
  return bytes;
}

export function buildZip(entries: readonly RawEntry[], end: RawEnd = {}): Buffer {
  const pieces: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  const put = (bytes: Buffer): void => {
    pieces.push(bytes);
    at += bytes.length;
  };
  for (const entry of entries) {
    put(entry.gap ?? none);
    const fields = fieldsOf(entry, at);
    central.push(centralRecord({ ...fields, ...entry.central }));
    if (entry.centralOnly === true) continue;
    put(localRecord({ ...fields, ...entry.local }));
    put(dataOf(entry));
    put(entry.descriptor ?? none);
  }
  put(end.gap ?? none);
  const offset = at;
  for (const index of end.order ?? central.keys()) put(central[index] ?? none);
  const bytes = at - offset;
  put(end.gapBehind ?? none);
  const found = { entries: end.order?.length ?? central.length, bytes, offset };
  if (end.zip64 !== undefined) put(end64(found, at, end.zip64));
  put(endRecord(found, end));
  put(end.behind ?? none);
  return Buffer.concat(pieces);
}

const bytesOf = (text: string | Buffer): Buffer => (typeof text === 'string' ? Buffer.from(text) : text);

function dataOf({ content = '', method = 0, data }: RawEntry): Buffer {
  return data ?? (method === 8 ? deflateRawSync(bytesOf(content)) : bytesOf(content));
}

function fieldsOf(entry: RawEntry, offset: number): RecordFields {
  const name = bytesOf(entry.name ?? 'uploads/a');
  const content = bytesOf(entry.content ?? '');
  const mode = entry.mode ?? (name.at(-1) === 0x2f ? 0o040755 : 0o100644);
  return {
    signature: 0,
    madeBy: (3 << 8) | 63,
    needed: 20,
    flags: entry.flags ?? 0x0800,
    method: entry.method ?? 0,
    time: 0x6000,
    date: 0x5b5e,
    crc: crc32(content),
    packedSize: dataOf(entry).length,
    size: content.length,
    name,
    extra: entry.extra ?? none,
    comment: none,
    attributes: (mode << 16) >>> 0,
    offset,
    nameLength: -1,
    extraLength: -1,
    commentLength: -1,
  };
}

const told = (length: number, bytes: Buffer): number => (length === -1 ? bytes.length : length);

function localRecord(fields: RecordFields): Buffer {
  const { name, extra: more } = fields;
  const record = Buffer.alloc(30);
  record.writeUInt32LE(fields.signature === 0 ? 0x04034b50 : fields.signature, 0);
  record.writeUInt16LE(fields.needed, 4);
  record.writeUInt16LE(fields.flags, 6);
  record.writeUInt16LE(fields.method, 8);
  record.writeUInt16LE(fields.time, 10);
  record.writeUInt16LE(fields.date, 12);
  record.writeUInt32LE(fields.crc, 14);
  record.writeUInt32LE(fields.packedSize, 18);
  record.writeUInt32LE(fields.size, 22);
  record.writeUInt16LE(told(fields.nameLength, name), 26);
  record.writeUInt16LE(told(fields.extraLength, more), 28);
  return Buffer.concat([record, name, more]);
}

function centralRecord(fields: RecordFields): Buffer {
  const { name, extra: more, comment } = fields;
  const record = Buffer.alloc(46);
  record.writeUInt32LE(fields.signature === 0 ? 0x02014b50 : fields.signature, 0);
  record.writeUInt16LE(fields.madeBy, 4);
  record.writeUInt16LE(fields.needed, 6);
  record.writeUInt16LE(fields.flags, 8);
  record.writeUInt16LE(fields.method, 10);
  record.writeUInt16LE(fields.time, 12);
  record.writeUInt16LE(fields.date, 14);
  record.writeUInt32LE(fields.crc, 16);
  record.writeUInt32LE(fields.packedSize, 20);
  record.writeUInt32LE(fields.size, 24);
  record.writeUInt16LE(told(fields.nameLength, name), 28);
  record.writeUInt16LE(told(fields.extraLength, more), 30);
  record.writeUInt16LE(told(fields.commentLength, comment), 32);
  record.writeUInt32LE(fields.attributes, 38);
  record.writeUInt32LE(fields.offset, 42);
  return Buffer.concat([record, name, more, comment]);
}

interface Found {
  readonly entries: number;
  readonly bytes: number;
  readonly offset: number;
}

function end64(found: Found, at: number, lies: NonNullable<RawEnd['zip64']>): Buffer {
  const record = Buffer.alloc(76);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(lies.recordSize ?? 44n, 4);
  record.writeUInt16LE((3 << 8) | 63, 12);
  record.writeUInt16LE(45, 14);
  record.writeBigUInt64LE(lies.entriesHere ?? lies.entries ?? BigInt(found.entries), 24);
  record.writeBigUInt64LE(lies.entries ?? BigInt(found.entries), 32);
  record.writeBigUInt64LE(lies.bytes ?? BigInt(found.bytes), 40);
  record.writeBigUInt64LE(lies.offset ?? BigInt(found.offset), 48);
  record.writeUInt32LE(0x07064b50, 56);
  record.writeBigUInt64LE(lies.locatedAt ?? BigInt(at), 64);
  record.writeUInt32LE(Number(lies.disks ?? 1n), 72);
  return record;
}

function endRecord(found: Found, end: RawEnd): Buffer {
  const wide = end.zip64 !== undefined;
  const comment = bytesOf(end.comment ?? '');
  const record = Buffer.alloc(22);
  const entries = end.entries ?? (wide ? 0xffff : found.entries);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(end.disk ?? 0, 4);
  record.writeUInt16LE(end.disk ?? 0, 6);
  record.writeUInt16LE(end.entriesHere ?? entries, 8);
  record.writeUInt16LE(entries, 10);
  record.writeUInt32LE(end.bytes ?? (wide ? 0xffffffff : found.bytes), 12);
  record.writeUInt32LE(end.offset ?? (wide ? 0xffffffff : found.offset), 16);
  record.writeUInt16LE(end.commentLength ?? comment.length, 20);
  return Buffer.concat([record, comment]);
}
