import { createHash } from 'node:crypto';
import type { Decoded, DecodedEntry, DecodeOptions, EntryHeader } from '../archive.js';
import { isEncrypted, type ZipEntry } from './zip-entry.js';
import { largeContent } from './large-entry.js';
import { sealOf, unsealed } from './entry-seal.js';
import { placeEntry } from './local-entry.js';
import { SmallBatch } from './small-batch.js';
import type { Unlocked } from './unlocked.js';
import { Window } from '../window.js';
import type { ByteSource } from '../../base/byte-source.js';
import { ArchiveDamage, type Damage } from '../../base/damage.js';
import { blockSize } from '../../base/limits.js';
import type { Compressor } from '../../compress/compressor.js';

export interface Decoding {
  readonly source: ByteSource;
  readonly pool: Compressor;
  /** How much is read at once; 1 MiB where it is not said. */
  readonly pieceBytes?: number;
  /** Where entries must end: the central directory's beginning. */
  readonly limit: number;
  readonly options: DecodeOptions;
  /** The archive has encrypted entries: then whatever has content must be encrypted. */
  readonly isSealed: boolean;
  /** Undefined: encrypted entries cannot be decoded. */
  readonly unlocked: Unlocked | undefined;
  /** A link may be in clear beside encrypted entries, as other tools write it: the manifest tells where it points. */
  readonly clearLinks: boolean;
  /** Told of what is wrong beside the contents. */
  readonly odd: (damage: Damage) => void;
}

/** What is decoded ahead: batches of small entries on the pool, and large entries that wait for their reader. */
type Unit = { readonly kind: 'small'; readonly entries: Promise<DecodedEntry[]> } | LargeUnit;

interface LargeUnit {
  readonly kind: 'large';
  readonly entry: ZipEntry;
  readonly dataStart: number;
  readonly want: 'content' | 'sum';
}

/** In lists of any length, in the order of the file. */
export type EntryLists = AsyncIterable<readonly ZipEntry[]> | Iterable<readonly ZipEntry[]>;

/** Decodes entries in the order of the file, small ones ahead on the pool. */
export async function* decodeEntries(entries: EntryLists, decoding: Decoding): AsyncGenerator<DecodedEntry> {
  const ahead: Unit[] = [];
  const depth = decoding.pool.width + 2;
  for await (const unit of units(entries, decoding)) {
    ahead.push(unit);
    while (ahead.length > depth) yield* decodedUnit(ahead.shift(), decoding);
  }
  while (ahead.length > 0) yield* decodedUnit(ahead.shift(), decoding);
}

async function* decodedUnit(unit: Unit | undefined, decoding: Decoding): AsyncGenerator<DecodedEntry> {
  if (unit === undefined) return;
  if (unit.kind === 'small') yield* await unit.entries;
  else yield await decodedLarge(unit, decoding);
}

async function* units(lists: EntryLists, decoding: Decoding): AsyncGenerator<Unit> {
  // Records are taken apart, and contents copied, before more is read.
  const window = new Window(decoding.source, decoding.pieceBytes, true);
  const layout = new Layout(decoding.odd);
  let batch = new SmallBatch(decoding.pool, decoding.unlocked);
  for await (const entries of lists) {
    for (const entry of entries) {
      decoding.options.signal?.throwIfAborted();
      const placed = await placeEntry(window, entry, decoding.limit);
      layout.next(entry, placed.end);
      const damage = entryDamage(entry, placed.contradiction, decoding);
      const want = entry.header.kind === 'file' ? decoding.options.want(entry.header) : 'content';
      const whole = isSmall(entry) || want === 'nothing';
      if (damage !== undefined || whole) {
        if (damage !== undefined) batch.addDecoded(entry.header, { kind: 'damaged', damage });
        else if (want === 'nothing') batch.addDecoded(entry.header, { kind: 'none' });
        else batch.addPacked(entry, await window.at(placed.dataStart, entry.packedSize), want === 'content');
        if (!batch.isFull) continue;
      }
      if (!batch.isEmpty) yield running(batch);
      batch = new SmallBatch(decoding.pool, decoding.unlocked);
      if (damage === undefined && !whole) yield { kind: 'large', entry, dataStart: placed.dataStart, want };
    }
  }
  layout.finish(decoding.limit);
  if (!batch.isEmpty) yield running(batch);
}

function running(batch: SmallBatch): Unit {
  const entries = batch.run();
  // Its failure is seen when its turn comes, which never comes where the reader stops before.
  entries.catch(() => undefined);
  return { kind: 'small', entries };
}

/** What makes an entry's content unusable before it is decoded. */
function entryDamage(entry: ZipEntry, contradiction: string | undefined, decoding: Decoding): Damage | undefined {
  const { path, kind } = entry.header;
  if (contradiction !== undefined) {
    return { id: 'central-local-mismatch', message: `its two records disagree: ${contradiction}`, path };
  }
  const locked = lockedOut(entry, decoding);
  if (locked !== undefined) return { ...locked, path };
  const { method, packedSize } = unsealed(entry);
  if (method !== 0 && method !== 8) {
    return { id: 'content-undecodable', message: `compression method ${method} is not supported`, path };
  }
  if (packedSize < 0) return { id: 'size-mismatch', message: 'it is too short to be encrypted', path };
  if (method === 0 && entry.size !== packedSize) {
    return { id: 'size-mismatch', message: `stored, but ${packedSize} bytes instead of ${entry.size}`, path };
  }
  if (kind === 'directory' && entry.size > 0) return { id: 'size-mismatch', message: 'a folder with content', path };
  // What is no file is read whole: its packed bytes are bounded like its content.
  if (kind !== 'file' && !isSmall(entry)) {
    return { id: 'size-mismatch', message: `${entry.packedSize} bytes for a ${kind}`, path };
  }
  return undefined;
}

/** Whether encryption, or the lack of it, is in the way. */
function lockedOut(entry: ZipEntry, decoding: Decoding): Pick<Damage, 'id' | 'message'> | undefined {
  if (sealOf(entry) !== undefined) {
    return decoding.unlocked === undefined ? { id: 'content-undecodable', message: 'it is encrypted' } : undefined;
  }
  // Some tools flag what has nothing to encrypt.
  if (isEncrypted(entry) && entry.packedSize > 0) {
    return { id: 'content-undecodable', message: 'it is encrypted, and not by AE-1 or AE-2' };
  }
  const isAllowed = decoding.clearLinks && entry.header.kind === 'link';
  if (!decoding.isSealed || entry.size === 0 || isAllowed) return undefined;
  return { id: 'entry-in-clear', message: 'it is not encrypted, while others are' };
}

const isSmall = ({ size, packedSize }: ZipEntry): boolean => size <= blockSize && packedSize <= 2 * blockSize;

async function decodedLarge({ entry, dataStart, want }: LargeUnit, decoding: Decoding): Promise<DecodedEntry> {
  const { header } = entry;
  const { source, pool, unlocked } = decoding;
  const chunks = (done?: (sha256: string) => void): AsyncGenerator<Buffer> =>
    largeContent({ source, dataStart, entry, pool, unlocked }, done);
  if (want === 'content') {
    return { header, content: { kind: 'chunks', chunks: chunks() } };
  }
  return { header, content: await summed(header, chunks, decoding.options.signal) };
}

async function summed(
  header: EntryHeader,
  chunks: (done: (sha256: string) => void) => AsyncGenerator<Buffer>,
  signal: AbortSignal | undefined,
): Promise<Decoded> {
  let sha256 = createHash('sha256').digest('hex');
  try {
    for await (const _chunk of chunks((sum) => (sha256 = sum))) signal?.throwIfAborted();
  } catch (error) {
    if (!(error instanceof ArchiveDamage)) throw error;
    return { kind: 'damaged', damage: { id: error.id, message: error.message, path: header.path } };
  }
  return { kind: 'sum', sha256 };
}

/** Entries lie one behind the other, from the file's beginning to the central directory. */
class Layout {
  readonly #odd: (damage: Damage) => void;
  #end = 0;

  constructor(odd: (damage: Damage) => void) {
    this.#odd = odd;
  }

  next(entry: ZipEntry, end: number): void {
    const { path } = entry.header;
    if (entry.offset < this.#end) {
      throw new ArchiveDamage('entries-overlap', 'it overlaps the entry before it', path);
    }
    if (entry.offset > this.#end) {
      this.#odd({ id: 'data-between-entries', message: 'there is data before it that belongs to no entry', path });
    }
    this.#end = end;
  }

  finish(limit: number): void {
    if (this.#end < limit) {
      this.#odd({
        id: 'data-between-entries',
        message: 'there is data before the central directory that belongs to no entry',
      });
    }
  }
}
