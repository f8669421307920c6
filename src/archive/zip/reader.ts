import { createHash } from 'node:crypto';
import {
  manifestName,
  sumsName,
  type ArchiveBytesProof,
  type ArchiveReader,
  type DecodedEntry,
  type DecodeOptions,
  type Encryption,
  type ReadTail,
} from '../archive.js';
import { isEncrypted, type ZipEntry } from './central-entry.js';
import { decodeEntries, type Decoding } from './decode.js';
import { readDirectory, readZipEnd, type ZipDirectory, type ZipEnd } from './directory.js';
import { sealOf } from './entry-seal.js';
import type { KeptKeys } from '../kept-keys.js';
import { findLastEntry } from './last-entry.js';
import { piecesOf } from '../pieces.js';
import { opens } from './unlock.js';
import type { Unlocked } from './unlocked.js';
import type { ByteSource } from '../../base/byte-source.js';
import { ArchiveDamage, type Damage } from '../../base/damage.js';
import { limits } from '../../base/limits.js';
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
const recordsBytes = 4096;

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
  #directory: Promise<ZipDirectory> | undefined;
  #sealed: boolean | undefined;
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
    const { entries } = await this.#list();
    const locked = { source: this.#source, pool: this.#pool, entries, limit: this.#end.directoryStart };
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
    return (await this.#list()).entries.some(isEncrypted);
  }

  async readManifest(): Promise<Buffer | undefined> {
    const last = findLastEntry(this.#end);
    // Only for display: whether other entries are encrypted is not asked.
    if (last !== undefined) return this.#content(last, limits.maxManifestBytes, false);
    return this.#named(manifestName, limits.maxManifestBytes);
  }

  async readTail(): Promise<ReadTail> {
    return {
      manifest: await this.#named(manifestName, limits.maxManifestBytes),
      sums: await this.#named(sumsName, limits.maxSumsBytes),
    };
  }

  async *decode(options: DecodeOptions): AsyncGenerator<DecodedEntry> {
    const { entries, refused } = await this.#list();
    const decoding = decodeEntries(entries, {
      ...this.#decoding(await this.#isSealed()),
      options,
      odd: (damage) => this.#note(damage),
    });
    for (const damage of refused) this.#note(damage);
    yield* decoding;
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
    this.#sealed ??= (await this.#list()).entries.some((entry) => sealOf(entry) !== undefined);
    return this.#sealed;
  }

  #note(damage: Damage): void {
    const key = `${damage.id} ${damage.path ?? ''}`;
    if (!this.#noted.has(key)) this.oddities.push(damage);
    this.#noted.add(key);
  }

  #list(): Promise<ZipDirectory> {
    this.#directory ??= readDirectory(this.#source, this.#end, this.#options.dropDotSlash ?? false);
    return this.#directory;
  }

  /** Where the body ends, if the archive is laid out as ours: SHA256SUMS, then manifest.json, then nothing. */
  async #bodyRange(): Promise<{ readonly end: number; readonly centralEnd: number } | undefined> {
    const { entries } = await this.#list();
    const [sums, manifest] = entries.slice(-2);
    if (sums?.header.path !== sumsName || manifest?.header.path !== manifestName) return undefined;
    return { end: sums.offset, centralEnd: sums.central.at };
  }

  async *#range(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end; at += readBytes) yield await this.#source.read(at, Math.min(readBytes, end - at));
  }

  async #named(name: string, maxBytes: number): Promise<Buffer | undefined> {
    const { entries } = await this.#list();
    const entry = entries.find(({ header }) => header.path === name && header.kind === 'file');
    return entry === undefined ? undefined : this.#content(entry, maxBytes, await this.#isSealed());
  }

  async #content(entry: ZipEntry, maxBytes: number, isSealed: boolean): Promise<Buffer> {
    const { path } = entry.header;
    if (entry.size > maxBytes) {
      throw new ArchiveDamage(
        'manifest-invalid',
        `${path} says that it has ${entry.size} bytes; the limit is ${maxBytes}`,
        path,
      );
    }
    const pieces: Buffer[] = [];
    const decoding = decodeEntries([entry], {
      ...this.#decoding(isSealed),
      pieceBytes: entry.packedSize + recordsBytes,
      options: { want: () => 'content' },
      odd: () => undefined,
    });
    for await (const { content } of decoding) {
      if (content.kind === 'damaged') throw new ArchiveDamage(content.damage.id, content.damage.message, path);
      if (content.kind === 'bytes') pieces.push(content.bytes);
      if (content.kind === 'chunks') for await (const chunk of content.chunks) pieces.push(chunk);
    }
    return Buffer.concat(pieces);
  }
}
