import { findLastEntry } from './last-entry.js';
import { contradictionOf } from './local-entry.js';
import { decodeLocal, flagDescriptor, localBytes, localRecordBytes, localSignature } from './records.js';
import { zipEndOf, type ZipEnd } from './end.js';
import { isEncrypted, type ZipEntry } from './zip-entry.js';
import type { Glimpse } from '../../fs/glimpse.js';
import { blockSize } from '../../base/limits.js';
import { inflateItem } from '../../compress/inflate-item.js';

export type ZipGlance =
  { readonly kind: 'clear'; readonly manifest: Buffer } | { readonly kind: 'encrypted'; readonly comment: string };

/** The last bytes that are looked at, and those around the manifest's content: enough for what `bkp` writes. */
const tailBytes = 16 * 1024;
const recordsBytes = 512;

/**
 * What a zip that is as `bkp` writes it says of itself, by two or three small reads: the same that its reader finds. Undefined for
 * any other file, damaged ones among them: the reader tells what is the matter, or finds it in another way.
 */
export function glanceAtZip(file: Glimpse): ZipGlance | undefined {
  try {
    if (file.read(0, 4).readUInt32LE(0) !== localSignature) return undefined;
    const tailStart = Math.max(0, file.size - tailBytes);
    const end = zipEndOf(file.read(tailStart, file.size - tailStart), tailStart);
    const last = findLastEntry(end);
    if (last === undefined) return undefined;
    if (isEncrypted(last)) return { kind: 'encrypted', comment: end.comment.toString() };
    const manifest = contentOf(last, end, file);
    return manifest === undefined ? undefined : { kind: 'clear', manifest };
  } catch {
    return undefined;
  }
}

function contentOf(entry: ZipEntry, end: ZipEnd, file: Glimpse): Buffer | undefined {
  const { offset, packedSize, size, crc, method, flags } = entry;
  if ((method !== 0 && method !== 8) || (flags & flagDescriptor) !== 0) return undefined;
  if (Math.max(size, packedSize) > blockSize || offset + localBytes > end.directoryStart) return undefined;
  const piece = pieceOf(file, end, offset, Math.min(packedSize + recordsBytes, end.directoryStart - offset));
  const start = localRecordBytes(piece);
  if (start === undefined || start + packedSize > piece.length) return undefined;
  if (contradictionOf(decodeLocal(piece.subarray(0, start)), entry) !== undefined) return undefined;
  const inflated = inflateItem(piece.subarray(start, start + packedSize), { method, size, crc });
  return 'content' in inflated ? Buffer.from(inflated.content) : undefined;
}

/** Of a small archive it lies in the tail. */
function pieceOf(file: Glimpse, { tail, tailStart }: ZipEnd, position: number, length: number): Buffer {
  const from = position - tailStart;
  return from < 0 ? file.read(position, length) : tail.subarray(from, from + length);
}
