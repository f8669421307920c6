import { closeSync } from 'node:fs';
import { systemCode } from '../base/errors.js';
import { applyToDescriptor, type Metadata, type MetadataLosses, type OwnerPolicy } from './metadata.js';
import { openNewFile, writeFully } from './new-file.js';
import { reasonOf } from './reason.js';

/** Small files that are written together; their contents lie in `data`. */
export interface FileBatch {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly files: readonly BatchedFile[];
  readonly owner: OwnerPolicy;
}

export interface BatchedFile {
  /** For system calls. */
  readonly path: string;
  readonly start: number;
  readonly length: number;
  readonly meta: Metadata;
}

/** What became of a batch: `data` is given back; of the files behind a failure none was written. */
export interface WrittenBatch {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly losses: MetadataLosses;
  readonly failure?: FileFailure;
}

/** A system error, as it passes between threads. */
export interface FileFailure {
  readonly index: number;
  readonly doing: string;
  readonly message: string;
  readonly code: string;
}

/** Writes files, with mode, owner and times, up to the first that fails. Throws what is no system error. */
export function writeBatch({ data, files, owner }: FileBatch): WrittenBatch {
  const losses: MetadataLosses = { ownersNotSet: 0, setIdsDropped: 0 };
  for (const [index, file] of files.entries()) {
    const doing = { now: 'creating' };
    try {
      writeOne(file, data.subarray(file.start, file.start + file.length), { owner, losses, doing });
    } catch (error) {
      const code = systemCode(error);
      if (code === undefined) throw error;
      return { data, losses, failure: { index, doing: doing.now, message: reasonOf(error), code } };
    }
  }
  return { data, losses };
}

interface Writing {
  readonly owner: OwnerPolicy;
  readonly losses: MetadataLosses;
  /** What is being done: kept for the message where it fails. */
  readonly doing: { now: string };
}

function writeOne({ path, meta }: BatchedFile, bytes: Uint8Array, { owner, losses, doing }: Writing): void {
  const fd = openNewFile(path);
  try {
    doing.now = 'writing';
    writeFully(fd, bytes);
    doing.now = 'setting mode, owner and times of';
    applyToDescriptor(fd, meta, owner, losses);
    doing.now = 'closing';
  } finally {
    closeSync(fd);
  }
}
