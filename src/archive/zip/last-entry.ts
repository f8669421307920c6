import { manifestName } from '../archive.js';
import { decodeExtras } from './extra-fields.js';
import type { ZipEntry } from './zip-entry.js';
import type { ZipEnd } from './end.js';
import { centralBytes, centralSignature, max32 } from './records.js';
import { parseEntryPath } from '../../base/entry-path.js';

/**
 * The manifest's entry, where it is the last one of the central directory and that one lies in the file's last bytes:
 * found without reading the directory, which may be large. For looking (`list`, `show`); proof reads the whole directory.
 */
export function findLastEntry({ tail, tailStart, directoryStart, directoryEnd }: ZipEnd): ZipEntry | undefined {
  const end = directoryEnd - tailStart;
  const name = Buffer.from(manifestName);
  for (let at = end - centralBytes - name.length; at >= Math.max(0, directoryStart - tailStart); at -= 1) {
    if (tail.readUInt32LE(at) !== centralSignature) continue;
    const bytes = centralBytes + tail.readUInt16LE(at + 28) + tail.readUInt16LE(at + 30) + tail.readUInt16LE(at + 32);
    const record = tail.subarray(at, at + bytes);
    if (at + bytes !== end || !record.subarray(centralBytes, centralBytes + record.readUInt16LE(28)).equals(name))
      continue;
    return lastEntry(record, tailStart + at);
  }
  return undefined;
}

function lastEntry(record: Buffer, at: number): ZipEntry | undefined {
  const nameEnd = centralBytes + record.readUInt16LE(28);
  const [packedSize, size, offset] = [record.readUInt32LE(20), record.readUInt32LE(24), record.readUInt32LE(42)];
  // Its zip64 fields are left to the full listing.
  if ([packedSize, size, offset].includes(max32)) return undefined;
  try {
    const extras = decodeExtras(record.subarray(nameEnd, nameEnd + record.readUInt16LE(30)));
    return {
      header: {
        path: parseEntryPath(manifestName),
        kind: 'file',
        size,
        mode: 0o644,
        mtime: extras.exactMtime ?? extras.mtime ?? 0n,
        uid: extras.uid ?? 0,
        gid: extras.gid ?? 0,
      },
      rawName: record.subarray(centralBytes, nameEnd),
      flags: record.readUInt16LE(8),
      method: record.readUInt16LE(10),
      time: record.readUInt16LE(12),
      date: record.readUInt16LE(14),
      crc: record.readUInt32LE(16),
      size,
      packedSize,
      offset,
      extras,
      central: { at, bytes: record.length },
    };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
