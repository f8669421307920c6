import { gzipSync } from 'node:zlib';

/** A tar header block as text fields, its checksum made right: what no honest tool would write. */
export interface RawHeader {
  readonly name?: string | Buffer;
  readonly type?: string;
  readonly size?: number | string;
  readonly mode?: string;
  readonly uid?: string | Buffer;
  readonly mtime?: string | Buffer;
  readonly linkname?: string;
  /** Magic and version; `ustar\0` and `00` unless given. */
  readonly magic?: string;
  readonly prefix?: string;
}

export function rawHeader(raw: RawHeader): Buffer {
  const block = Buffer.alloc(512);
  put(block, 0, raw.name ?? 'uploads/a');
  put(block, 100, raw.mode ?? '0000644\0');
  put(block, 108, raw.uid ?? '0000000\0');
  put(block, 116, '0000000\0');
  put(block, 124, typeof raw.size === 'string' ? raw.size : `${(raw.size ?? 0).toString(8).padStart(11, '0')}\0`);
  put(block, 136, raw.mtime ?? '14524000000\0');
  put(block, 156, raw.type ?? '0');
  put(block, 157, raw.linkname ?? '');
  put(block, 257, raw.magic ?? 'ustar\x0000');
  put(block, 345, raw.prefix ?? '');
  return withChecksum(block);
}

export function withChecksum(block: Buffer): Buffer {
  block.fill(0x20, 148, 156);
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

const put = (block: Buffer, at: number, value: string | Buffer): unknown =>
  block.set(typeof value === 'string' ? Buffer.from(value) : value, at);

/** An entry with its content and padding. */
export function rawEntry(raw: RawHeader, content: string | Buffer = ''): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([
    rawHeader({ size: bytes.length, ...raw }),
    bytes,
    Buffer.alloc((512 - (bytes.length % 512)) % 512),
  ]);
}

/** One pax record with its length. */
export function record(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

export const paxHeader = (...records: readonly Buffer[]): Buffer =>
  rawEntry({ name: 'PaxHeader', type: 'x' }, Buffer.concat(records));

export const endOfArchive = Buffer.alloc(1024);

/** An ordinary .tar.gz of these pieces, with its end. */
export const tarGz = (...pieces: readonly Buffer[]): Buffer => gzipSync(Buffer.concat([...pieces, endOfArchive]));
