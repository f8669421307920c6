import { createHash } from 'node:crypto';
import {
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
import { decodeEntries, type Decoding } from './decode.js';
import type { KeptKeys } from '../kept-keys.js';
import { findLastEntry } from './last-entry.js';
import type { ZipListing } from './listing.js';
import { piecesOf } from '../pieces.js';
import { opens } from './unlock.js';
import type { Unlocked } from './unlocked.js';
import { readZipEnd, type ZipEnd } from './end.js';
import { isEncrypted, type ZipEntry } from './zip-entry.js';
import type { ByteSource } from '../../base/byte-source.js';
import { ArchiveDamage, type Damage } from '../../base/damage.js';
import { blockSize, limits } from '../../base/limits.js';
import type { Passphrase } from '../../base/passphrase.js';
import type { Compressor } from '../../compress/compressor.js';
import { SharedSecret } from '../../compress/shared-secret.js';

export interface ZipReaderOptions {
  /** One leading `./` of a name is dropped: other tools' way of writing it. */
  readonly dropDotSlash?: boolean;
}

/** Reads only the end of the file; the central directory is read when it is needed. Rejects with `ArchiveDamage`. */
export async function openZipReader(
  source: ByteSource,
  pool: Compressor,
  options: ZipReaderOptions = {},
): Promise<ZipReader> {
  return new ZipReader(source, pool, await readZipEnd(source), options);
}

const readBytes = 1024 * 1024;
/** Enough for what lies around an entry's content. */
const recordsBytes = 512;

export class ZipReader implements ArchiveReader {
  readonly container = 'zip';
  readonly bytes: number;
  readonly oddities: Damage[] = [];
  readonly #source: ByteSource;
  readonly #pool: Compressor;
  readonly #end: ZipEnd;
  readonly #options: ZipReaderOptions;
  /** What `oddities` holds: a hostile archive can have one for each of its entries. */
  readonly #noted = new Set<string>();
  #listing: Promise<ZipListing> | undefined;
  #unlocked: Unlocked | undefined;

  constructor(source: ByteSource, pool: Compressor, end: ZipEnd, options: ZipReaderOptions) {
    this.#source = source;
    this.#pool = pool;
    this.#end = end;
    this.#options = options;
    this.bytes = source.size;
  }

  get comment(): string {
    return this.#end.comment.toString();
  }

  async encryption(): Promise<Encryption> {
    if (await this.#isSealed()) return 'aes';
    return (await this.isEncrypted()) ? 'unsupported' : 'none';
  }

  async unlock(passphrase: Passphrase, keys?: KeptKeys): Promise<boolean> {
    const unlocked = { secret: new SharedSecret(passphrase), keys };
    const listing = await this.#list();
    const locked = { source: this.#source, pool: this.#pool, listing, limit: this.#end.directoryStart };
    if (!(await opens(locked, unlocked.secret))) {
      unlocked.secret.forget();
      return false;
    }
    this.#unlocked?.secret.forget();
    this.#unlocked = unlocked;
    return true;
  }

  async isEncrypted(): Promise<boolean> {
    const last = findLastEntry(this.#end);
    if (last !== undefined) return isEncrypted(last);
    return (await this.#list()).survey.isEncrypted;
  }

  async readManifest(): Promise<Buffer | undefined> {
    const last = findLastEntry(this.#end);
    // Only for display: whether other entries are encrypted is not asked.
    if (last !== undefined) return this.#content(last, limits.maxManifestBytes, false);
    return this.#manifest();
  }

  async readTail(): Promise<ReadTail> {
    const manifest = await this.#manifest();
    const sums = (await this.#list()).survey.proofs.get(sumsName);
    if (sums === undefined) return { manifest, sums: undefined };
    const isSealed = await this.#isSealed();
    return { manifest, sums: () => this.#chunks(sums, limits.maxSumsBytes, isSealed) };
  }

  async *decode(options: DecodeOptions): AsyncGenerator<DecodedEntry> {
    const listing = await this.#list();
    for (const damage of listing.survey.refused) this.#note(damage);
    yield* decodeEntries(listing.entries(), {
      ...this.#decoding(await this.#isSealed()),
      options,
      odd: (damage) => this.#note(damage),
    });
  }

  async *names(): AsyncGenerator<NamedEntry> {
    for await (const entries of (await this.#list()).entries()) for (const { header } of entries) yield header;
  }

  async proveBytes(advance?: (bytes: number) => void, signal?: AbortSignal): Promise<ArchiveBytesProof> {
    const body = await this.#bodyRange();
    const hash = createHash('sha256');
    let bodyHash: string | undefined;
    let at = 0;
    const takeBodyHash = async (): Promise<void> => {
      if (body === undefined || at !== body.end) return;
      const bodySum = hash.copy();
      for await (const central of this.#range(this.#end.directoryStart, body.centralEnd)) bodySum.update(central);
      bodyHash = `sha256:${bodySum.digest('hex')}`;
    };
    await takeBodyHash();
    for await (const piece of piecesOf(this.#source, body?.end)) {
      signal?.throwIfAborted();
      hash.update(piece);
      at += piece.length;
      advance?.(piece.length);
      await takeBodyHash();
    }
    return { sha256: hash.digest('hex'), bodyHash };
  }

  async close(): Promise<void> {
    this.#unlocked?.secret.forget();
    await this.#source.close();
  }

  #decoding(isSealed: boolean): Omit<Decoding, 'options' | 'odd'> {
    return {
      source: this.#source,
      pool: this.#pool,
      limit: this.#end.directoryStart,
      isSealed,
      unlocked: this.#unlocked,
      clearLinks: this.#options.dropDotSlash ?? false,
    };
  }

  /** Whether any entry is encrypted in a way that can be opened. */
  async #isSealed(): Promise<boolean> {
    return (await this.#list()).survey.sealed > 0;
  }

  #note(damage: Damage): void {
    const key = `${damage.id} ${damage.path ?? ''}`;
    if (!this.#noted.has(key)) this.oddities.push(damage);
    this.#noted.add(key);
  }

  #list(): Promise<ZipListing> {
    this.#listing ??= this.#readListing();
    return this.#listing;
  }

  /** What lists it is loaded for it alone: a look at an archive's end, as `list` takes it, does not wait for that. */
  async #readListing(): Promise<ZipListing> {
    const { ZipListing } = await import('./listing.js');
    const dropDotSlash = this.#options.dropDotSlash ?? false;
    return ZipListing.read({ source: this.#source, end: this.#end, dropDotSlash });
  }

  /** Where the body ends, if the archive is laid out as ours: SHA256SUMS, then manifest.json, then nothing. */
  async #bodyRange(): Promise<{ readonly end: number; readonly centralEnd: number } | undefined> {
    const { beforeLast: sums, last: manifest } = (await this.#list()).survey;
    if (sums?.header.path !== sumsName || manifest?.header.path !== manifestName) return undefined;
    return { end: sums.offset, centralEnd: sums.central.at };
  }

  async *#range(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end; at += readBytes) yield await this.#source.read(at, Math.min(readBytes, end - at));
  }

  async #manifest(): Promise<Buffer | undefined> {
    const entry = (await this.#list()).survey.proofs.get(manifestName);
    return entry === undefined ? undefined : this.#content(entry, limits.maxManifestBytes, await this.#isSealed());
  }

  async #content(entry: ZipEntry, maxBytes: number, isSealed: boolean): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const chunk of this.#chunks(entry, maxBytes, isSealed)) pieces.push(Buffer.from(chunk));
    return Buffer.concat(pieces);
  }

  /** The content of one entry. Throws `ArchiveDamage`. */
  async *#chunks(entry: ZipEntry, maxBytes: number, isSealed: boolean): AsyncGenerator<Buffer> {
    const { path } = entry.header;
    if (entry.size > maxBytes) {
      const message = `${path} says that it has ${entry.size} bytes; the limit is ${maxBytes}`;
      throw new ArchiveDamage('manifest-invalid', message, path);
    }
    const decoding = decodeEntries([[entry]], {
      ...this.#decoding(isSealed),
      // What is larger is read in blocks.
      pieceBytes: Math.min(entry.packedSize, 2 * blockSize) + recordsBytes,
      options: { want: () => 'content' },
      odd: () => undefined,
    });
    for await (const { content } of decoding) {
      if (content.kind === 'damaged') throw new ArchiveDamage(content.damage.id, content.damage.message, path);
      if (content.kind === 'bytes') yield content.bytes;
      if (content.kind === 'chunks') yield* content.chunks;
    }
  }
}
