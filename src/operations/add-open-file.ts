import type { ArchiveWriter, EarlierBlocks } from '../archive/archive.js';
import type { EntryPath } from '../base/entry-path.js';
import { blockSize } from '../base/limits.js';
import type { FileStat } from '../fs/file-stat.js';
import type { StableFile } from '../fs/stable-file.js';
import { entryHeader } from './entry-header.js';

/** `first`: taken back for a second try, the `last`. `once`: there is no other, and zeros stand for what cannot be read. */
export type Care = 'first' | 'last' | 'once';

/** The file changed while it was read for the first time: what the archive took of it was taken back. */
export class ChangedMeanwhile extends Error {}

export interface OpenFileOptions {
  /** What the entry says of it; its own where that is not given. */
  readonly stat?: FileStat;
  /** `last` where that is not given. */
  readonly care?: Care;
  /** Asked when all is read: throws where that is not to stay in the archive. */
  readonly prove?: (() => Promise<void>) | undefined;
  /** Blocks that an earlier archive has of it. */
  readonly earlier?: EarlierBlocks | undefined;
}

interface Destination {
  readonly writer: ArchiveWriter;
  readonly advance: (bytes: number, path: string) => void;
  readonly signal: AbortSignal;
}

/** Streams an open file into an archive. Throws `ChangedMeanwhile` with `first` care, and what `prove` throws. */
export async function addOpenFile(
  to: Destination,
  path: EntryPath,
  file: StableFile,
  options: OpenFileOptions,
): Promise<void> {
  const { stat = file.stat, care = 'last', prove, earlier } = options;
  const header = entryHeader(path, 'file', stat);
  const end = async (): Promise<void> => {
    await prove?.();
    if (care === 'first' && file.changed()) throw new ChangedMeanwhile();
  };
  if (stat.size > blockSize) {
    const read = (): AsyncIterable<Buffer> => blocks(to, path, file, { care, end });
    return to.writer.add(header, { kind: 'blocks', read, ...(earlier === undefined ? {} : { earlier }) });
  }
  const pieces: Buffer[] = [];
  for await (const piece of file.read(blockSize)) pieces.push(piece);
  await end();
  return to.writer.add(header, { kind: 'bytes', bytes: Buffer.concat(pieces) });
}

interface Reading {
  readonly care: Care;
  readonly end: () => Promise<void>;
}

async function* blocks(
  { writer, advance, signal }: Destination,
  path: EntryPath,
  file: StableFile,
  { care, end }: Reading,
): AsyncGenerator<Buffer> {
  const room = (bytes: number): Buffer => writer.room('blocks', bytes);
  for await (const block of file.read(blockSize, care === 'once' ? 'fill' : 'throw', room)) {
    signal.throwIfAborted();
    advance(block.length, path);
    yield block;
  }
  await end();
}
