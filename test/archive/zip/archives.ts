import type { ArchiveProof, DecodeOptions, EntrySum } from '../../../src/archive/archive.js';
import { openZipReader, type ZipReader, type ZipReaderOptions } from '../../../src/archive/zip/reader.js';
import { createZipWriter, type ZipEncryption } from '../../../src/archive/zip/writer.js';
import type { KeptKeys } from '../../../src/archive/kept-keys.js';
import { ArchiveDamage, type Damage, type DamageId } from '../../../src/base/damage.js';
import { blockSize } from '../../../src/base/limits.js';
import { Passphrase } from '../../../src/base/passphrase.js';
import type { CompressPool } from '../../../src/compress/pool.js';
import { sumLine } from '../../../src/manifest/checksums.js';
import { collect, inChunks, manifest, MemorySink, MemorySource, type Sample } from '../tar/archives.js';

export interface Written {
  readonly archive: Buffer;
  readonly proof: ArchiveProof;
  readonly bodyHash: string;
  readonly sums: readonly EntrySum[];
}

interface WriteOptions {
  readonly level?: number;
  readonly comment?: string;
  readonly encryption?: ZipEncryption;
}

export async function writeZip(
  pool: CompressPool,
  samples: readonly Sample[],
  { level = 6, comment = '', encryption }: WriteOptions = {},
): Promise<Written> {
  const sink = new MemorySink();
  const sums: EntrySum[] = [];
  const sealed = encryption === undefined ? {} : { encryption };
  const writer = createZipWriter({ sink, pool, level, onSum: (sum) => sums.push(sum), scratch: '/nowhere', ...sealed });
  for (const { header, bytes } of samples) {
    if (header.kind !== 'file') await writer.add(header, { kind: 'none' });
    else if (bytes.length > blockSize) await writer.add(header, { kind: 'blocks', read: () => inChunks(bytes) });
    else await writer.add(header, { kind: 'bytes', bytes: Buffer.from(bytes) });
  }
  const { bodyHash } = await writer.endBody();
  const text = Buffer.from(sums.map(sumLine).join(''));
  const proof = await writer.finish({
    sums: () => inChunks(text),
    sumsBytes: text.length,
    manifest,
    mtime: 1_700_000_000_000_000_000n,
    comment,
  });
  return { archive: sink.bytes(), proof, bodyHash, sums };
}

export const openBytes = (pool: CompressPool, archive: Buffer, options: ZipReaderOptions = {}): Promise<ZipReader> =>
  openZipReader(new MemorySource(archive), pool, options);

export interface ReadResult {
  readonly samples: readonly Sample[];
  /** Of entries that must not be used. */
  readonly damaged: readonly Damage[];
  readonly thrown: ArchiveDamage | undefined;
  readonly oddities: readonly Damage[];
}

export interface ReadOptions extends ZipReaderOptions, Partial<DecodeOptions> {
  /** Must be the right one. */
  readonly passphrase?: string;
  readonly keys?: KeptKeys;
}

export const passphraseOf = (text: string): Passphrase => new Passphrase(Buffer.from(text));

/** Reads everything there is; what is thrown and no damage of the archive is thrown on. */
export async function readZip(pool: CompressPool, archive: Buffer, options: ReadOptions = {}): Promise<ReadResult> {
  const samples: Sample[] = [];
  const damaged: Damage[] = [];
  let oddities: readonly Damage[] = [];
  try {
    const reader = await openBytes(pool, archive, options);
    oddities = reader.oddities;
    const { passphrase } = options;
    if (passphrase !== undefined && !(await reader.unlock(passphraseOf(passphrase), options.keys)))
      throw new Error('this is not the passphrase');
    for await (const { header, content } of reader.decode({ want: () => 'content', ...options })) {
      if (content.kind === 'damaged') damaged.push(content.damage);
      else if (content.kind !== 'chunks' || header.kind !== 'file')
        samples.push({ header, bytes: content.kind === 'bytes' ? content.bytes : Buffer.alloc(0) });
      else {
        try {
          samples.push({ header, bytes: await collect(content.chunks) });
        } catch (error) {
          if (!(error instanceof ArchiveDamage)) throw error;
          damaged.push(error);
        }
      }
    }
    return { samples, damaged, thrown: undefined, oddities };
  } catch (error) {
    if (!(error instanceof ArchiveDamage)) throw error;
    return { samples, damaged, thrown: error, oddities };
  }
}

/** Every id that reading told, in the order of telling. */
export async function damageOf(
  pool: CompressPool,
  archive: Buffer,
  options: ReadOptions = {},
): Promise<readonly DamageId[]> {
  const { thrown, damaged, oddities } = await readZip(pool, archive, options);
  return [...damaged, ...oddities, ...(thrown === undefined ? [] : [thrown])].map(({ id }) => id);
}
