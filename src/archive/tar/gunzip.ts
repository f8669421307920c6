import { Readable } from 'node:stream';
import { createInflateRaw, crc32 } from 'node:zlib';
import { ArchiveDamage, type Damage } from '../../base/damage.js';
import type { ByteSource } from '../../base/byte-source.js';
import { systemCode } from '../../base/errors.js';
import type { TarChunk } from './tar-input.js';

const pieceBytes = 64 * 1024;
const trailerBytes = 8;
/** A gzip header with its extra field, name and comment; longer ones are refused. */
const maxHeaderBytes = 128 * 1024;

/**
 * What an ordinary gzip file holds, of however many members (RFC 1952). Memory is bounded whatever it says. Throws
 * `ArchiveDamage`; bytes behind the last member are told to `oddity`.
 */
export async function* gunzip(source: ByteSource, oddity: (damage: Damage) => void): AsyncGenerator<TarChunk> {
  let at = 0;
  while (at < source.size) {
    const head = await readUpTo(source, at, maxHeaderBytes);
    if (head[0] !== 0x1f || (head.length > 1 && head[1] !== 0x8b)) {
      if (at === 0) throw new ArchiveDamage('structure-invalid', 'this is not a gzip file');
      const message = `${source.size - at} bytes lie behind the end of the gzip data`;
      return oddity({ id: 'data-after-end', message });
    }
    at += gzipHeaderBytes(head);
    let crc = 0;
    let size = 0;
    for await (const bytes of inflated(source, at, (consumed) => (at += consumed))) {
      crc = crc32(bytes, crc);
      size = (size + bytes.length) >>> 0;
      yield { bytes, at };
    }
    const trailer = await readUpTo(source, at, trailerBytes);
    if (trailer.length < trailerBytes) throw cutShort();
    if (trailer.readUInt32LE(0) !== crc)
      throw new ArchiveDamage('crc-mismatch', 'the CRC-32 of the gzip data is wrong');
    if (trailer.readUInt32LE(4) !== size)
      throw new ArchiveDamage('size-mismatch', 'the size of the gzip data is wrong');
    at += trailerBytes;
  }
}

/** Inflates from `at` to the end of the deflate stream, then tells how many bytes that took. */
async function* inflated(
  source: ByteSource,
  at: number,
  consumed: (bytes: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  const input = Readable.from(pieces(source, at), { objectMode: false, highWaterMark: pieceBytes });
  const inflate = createInflateRaw({ chunkSize: pieceBytes });
  input.on('error', (error) => inflate.destroy(error));
  input.pipe(inflate);
  try {
    for await (const bytes of inflate) yield bytes as Buffer;
    consumed(inflate.bytesWritten);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'Z_BUF_ERROR') throw cutShort();
    if (code === 'Z_DATA_ERROR') throw new ArchiveDamage('content-undecodable', 'the gzip data cannot be inflated');
    throw error;
  } finally {
    input.destroy();
    inflate.destroy();
  }
}

async function* pieces(source: ByteSource, from: number): AsyncGenerator<Buffer> {
  for (let at = from; at < source.size; at += pieceBytes) yield readUpTo(source, at, pieceBytes);
}

const readUpTo = (source: ByteSource, at: number, length: number): Promise<Buffer> =>
  source.read(at, Math.min(length, source.size - at));

const headerFlags = { crc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;

/** Bytes of the header (RFC 1952 2.3). */
function gzipHeaderBytes(head: Buffer): number {
  let end = 10;
  if (head.length < end) throw cutShort();
  const flags = head.readUInt8(3);
  if (head[2] !== 8 || (flags & headerFlags.reserved) !== 0) throw badHeader();
  if (flags & headerFlags.extra) {
    if (head.length < end + 2) throw cutShort();
    end += 2 + head.readUInt16LE(end);
  }
  for (const flag of [headerFlags.name, headerFlags.comment]) {
    if (flags & flag) end = afterNul(head, end);
  }
  if (flags & headerFlags.crc) {
    if (head.length < end + 2) throw cutShort();
    if (head.readUInt16LE(end) !== (crc32(head.subarray(0, end)) & 0xffff)) throw badHeader();
    end += 2;
  }
  if (head.length < end) throw cutShort();
  return end;
}

function afterNul(head: Buffer, from: number): number {
  const nul = head.indexOf(0, from);
  if (nul === -1) throw head.length === maxHeaderBytes ? badHeader() : cutShort();
  return nul + 1;
}

const cutShort = (): ArchiveDamage => new ArchiveDamage('truncated', 'the gzip data ends too early');
const badHeader = (): ArchiveDamage => new ArchiveDamage('structure-invalid', 'a gzip header is malformed');
