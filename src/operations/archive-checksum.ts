import { createHash } from 'node:crypto';
import { blockSize } from '../base/limits.js';
import { parseSideFile } from '../manifest/side-file.js';
import type { BackupFile } from './backup-file.js';
import type { Deps } from './deps.js';

export interface ArchiveChecksum {
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  /** What the file beside it says, or what the archive's bytes are now. */
  readonly from: 'side-file' | 'computed';
}

/** The checksum of an archive as a file: as it was recorded; computed where that is missing or cannot be read. */
export async function archiveChecksum(file: BackupFile, deps: Deps): Promise<ArchiveChecksum> {
  const side = await file.readSide();
  const recorded = side === undefined ? undefined : parseSideFile(side);
  if (recorded !== undefined) return { sha256: recorded, from: 'side-file' };
  const source = await file.open();
  try {
    deps.progress.start('verify', source.size);
    const hash = createHash('sha256');
    for (let at = 0; at < source.size; at += blockSize) {
      deps.signal.throwIfAborted();
      const bytes = await source.read(at, Math.min(blockSize, source.size - at));
      hash.update(bytes);
      deps.progress.advance(bytes.length);
    }
    return { sha256: hash.digest('hex'), from: 'computed' };
  } finally {
    await source.close();
  }
}
