import { piecesOf } from '../pieces.js';
import { createHash } from 'node:crypto';
import type { ByteSource } from '../../base/byte-source.js';
import { ArchiveDamage, type Damage } from '../../base/damage.js';
import { memberHeaderBytes } from '../../compress/deflate.js';
import type { Compressor } from '../../compress/compressor.js';
import {
  ManifestTooFar,
  manifestName,
  sumsName,
  type ArchiveBytesProof,
  type ArchiveReader,
  type DecodedEntry,
  type DecodeOptions,
  type Encryption,
  type NamedEntry,
  type ReadTail,
} from '../archive.js';
import { decoded, provingChunks, provingFile } from './content.js';
import { TarEntries } from './entries.js';
import { gunzip } from './gunzip.js';
import { looksLikeGzip } from './gzip-magic.js';
import { inflatedMembers } from './members.js';
import { misplaced, ProvingPlaces } from './proving-places.js';
import { TarInput, type TarChunk } from './tar-input.js';
import { memberSize, parseTrailer, trailerBytes, type Trailer } from './trailer.js';

export interface TarReaderOptions {
  /** One leading `./` is dropped from each name, and the entry `./` passed over: as other tools repack. */
  readonly dropDotSlash?: boolean;
  /** Bytes of tar that `readManifest` looks through where the archive does not tell where it lies. */
  readonly searchLimit?: number;
}

/** Opens a tar.gz: one of ours (docs/archive-format.md), or an ordinary one. Closing the reader closes the source. */
export async function openTarReader(
  source: ByteSource,
  pool: Compressor,
  options: TarReaderOptions = {},
): Promise<ArchiveReader> {
  const head = await source.read(0, Math.min(memberHeaderBytes, source.size));
  if (!looksLikeGzip(head)) throw new ArchiveDamage('structure-invalid', `${source.name} is not a gzip file`);
  const end = Math.max(0, source.size - trailerBytes);
  const trailer = parseTrailer(await source.read(end, source.size - end));
  return new TarReader({ source, pool, options, blocked: memberSize(head) !== undefined, trailer });
}

interface TarReaderParts {
  readonly source: ByteSource;
  readonly pool: Compressor;
  readonly options: TarReaderOptions;
  /** The first member is one of ours. */
  readonly blocked: boolean;
  readonly trailer: Trailer | undefined;
}

interface Opening extends Pick<DecodeOptions, 'signal' | 'passBy'> {
  readonly maxBytes?: number;
}

class TarReader implements ArchiveReader {
  readonly container = 'tar.gz';
  readonly comment = undefined;
  readonly bytes: number;
  readonly oddities: Damage[] = [];
  readonly #parts: TarReaderParts;
  readonly #trailer: Trailer | undefined;

  constructor(parts: TarReaderParts) {
    this.#parts = parts;
    const { source, blocked, trailer } = parts;
    this.bytes = source.size;
    if (trailer === undefined) return;
    const inOrder = trailer.sumsAt < trailer.manifestAt && trailer.manifestAt < source.size - trailerBytes;
    if (blocked && inOrder) this.#trailer = trailer;
    else this.#note({ id: 'structure-invalid', message: 'the member that ends the archive contradicts the rest' });
  }

  /** The format has no encryption. */
  encryption(): Promise<Encryption> {
    return Promise.resolve('none');
  }

  unlock(): Promise<boolean> {
    return Promise.reject(new Error('a tar is not encrypted'));
  }

  isEncrypted(): Promise<boolean> {
    return Promise.resolve(false);
  }

  async readManifest(): Promise<Buffer | undefined> {
    if (this.#trailer === undefined) return (await this.#findTail(this.#parts.options.searchLimit)).manifest;
    const { entries, close } = this.#open(this.#trailer.manifestAt);
    try {
      return await lastFile(entries);
    } finally {
      await close();
    }
  }

  async readTail(): Promise<ReadTail> {
    if (this.#trailer === undefined) return this.#findTail();
    const { sumsAt } = this.#trailer;
    const { entries, close, places } = this.#open(sumsAt);
    try {
      if ((await entries.next())?.header.path !== sumsName) throw misplaced(sumsName);
      return { manifest: await lastFile(entries, places), sums: () => this.#sums(sumsAt) };
    } finally {
      await close();
    }
  }

  async *#sums(sumsAt: number): AsyncGenerator<Buffer> {
    const { entries, close } = this.#open(sumsAt);
    try {
      const first = await entries.next();
      if (first?.header.path !== sumsName) throw misplaced(sumsName);
      yield* provingChunks(entries, first);
    } finally {
      await close();
    }
  }

  async *decode(options: DecodeOptions): AsyncGenerator<DecodedEntry> {
    const { entries, close, places } = this.#open(0, options);
    try {
      for (let entry = await entries.next(); entry !== undefined; entry = await entries.next()) {
        places.meet(entry);
        yield { header: entry.header, content: await decoded(entries, entry, options.want) };
      }
      if (!places.allMet()) this.#note(misplaced('one of the proving files'));
    } finally {
      await close();
    }
  }

  async *names(): AsyncGenerator<NamedEntry> {
    for await (const { header } of this.decode({ want: () => 'nothing' })) yield header;
  }

  async proveBytes(advance?: (bytes: number) => void, signal?: AbortSignal): Promise<ArchiveBytesProof> {
    const hash = createHash('sha256');
    const bodyEnd = this.#trailer?.sumsAt;
    let bodyHash: string | undefined;
    let at = 0;
    for await (const piece of piecesOf(this.#parts.source, bodyEnd)) {
      signal?.throwIfAborted();
      if (at === bodyEnd) bodyHash = `sha256:${hash.copy().digest('hex')}`;
      hash.update(piece);
      at += piece.length;
      advance?.(piece.length);
    }
    return { sha256: hash.digest('hex'), bodyHash };
  }

  async close(): Promise<void> {
    await this.#parts.source.close();
  }

  /** A full pass: another tool may have put the proving files anywhere. Both are held then. */
  async #findTail(maxBytes = Infinity): Promise<ReadTail> {
    const found: { sums: Buffer | undefined; manifest: Buffer | undefined } = { sums: undefined, manifest: undefined };
    const { entries, close } = this.#open(0, { maxBytes });
    try {
      for (let entry = await entries.next(); entry !== undefined; entry = await entries.next()) {
        const { path } = entry.header;
        const key = path === sumsName ? 'sums' : path === manifestName ? 'manifest' : undefined;
        if (key === undefined) continue;
        if (found[key] !== undefined) throw new ArchiveDamage('entry-duplicate', 'the entry is there twice', path);
        found[key] = await provingFile(entries, entry);
      }
    } finally {
      await close();
    }
    const { sums, manifest } = found;
    return { manifest, sums: sums === undefined ? undefined : () => once(sums) };
  }

  /** Begins with the member at byte `from`; an archive that is not laid out as ours is read from its beginning. */
  #open(
    from: number,
    { signal, passBy, maxBytes = Infinity }: Opening = {},
  ): { entries: TarEntries; places: ProvingPlaces; close: () => Promise<void> } {
    const { source, pool, blocked, options } = this.#parts;
    const oddity = (damage: Damage): void => this.#note(damage);
    const chunks = blocked ? inflatedMembers(source, pool, from, oddity, passBy) : gunzip(source, oddity);
    const places = new ProvingPlaces(this.#trailer, oddity);
    const input = new TarInput(atMost(maxBytes, chunks), (at, position) => places.chunk(at, position), signal);
    const dropDotSlash = options.dropDotSlash ?? false;
    const entries = new TarEntries(input, { dropDotSlash, oddity, strictPadding: blocked });
    return { entries, places, close: () => input.close() };
  }

  /** Several passes find the same things. */
  #note({ id, message, path }: Damage): void {
    if (this.oddities.some((known) => known.id === id && known.message === message && known.path === path)) return;
    this.oddities.push(path === undefined ? { id, message } : { id, message, path });
  }
}

async function* atMost(maxBytes: number, chunks: AsyncIterable<TarChunk>): AsyncGenerator<TarChunk> {
  let seen = 0;
  for await (const chunk of chunks) {
    seen += chunk.bytes.length;
    if (seen > maxBytes) throw new ManifestTooFar();
    yield chunk;
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(bytes);
}

/** manifest.json, which must come now and be the last. */
async function lastFile(entries: TarEntries, places?: ProvingPlaces): Promise<Buffer> {
  const entry = await entries.next();
  if (entry?.header.path !== manifestName || places?.begins(entry) === false) throw misplaced(manifestName);
  const bytes = await provingFile(entries, entry);
  if ((await entries.next()) !== undefined) {
    throw new ArchiveDamage('structure-invalid', `there are entries behind ${manifestName}`);
  }
  return bytes;
}
