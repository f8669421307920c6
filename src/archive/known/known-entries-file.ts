import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container } from '../archive.js';
import type { ByteSource } from '../../base/byte-source.js';
import { partialPath } from '../../fs/partial-file.js';
import { openByteSource } from '../../fs/random-access.js';
import { decodeRecords, encodeRecord, type KnownRecord } from './known-record.js';
import type { PieceSeal } from './piece-seal.js';

/**
 * What is remembered of the entries of the last archive, so that the next one can take over what has not changed: one file for
 * each source, beside the catalogue. Written while an archive is made, it gets its name when that has its own. Nothing but time
 * is lost with it: it is not synced, and whatever in it is damaged counts as not there.
 */
export interface KnownEntriesKey {
  readonly instance: string;
  readonly source: string;
  readonly container: Container;
  readonly isEncrypted: boolean;
}

/** The archive that entries lie in. */
export interface KnownArchive {
  /** Its file in the storage. */
  readonly archive: string;
  /** 0 to 9. */
  readonly level: number;
}

interface Header extends KnownArchive {
  readonly format: typeof format;
  /** Of the key that seals pieces; base64. Null: they are in clear. */
  readonly salt: string | null;
}

const format = 'bkp known entries 2';
const headerBytes = 1024;
const pieceBytes = 128 * 1024;
/** An entry of 16 million blocks is 16 TB. */
const maxPieceBytes = 1024 ** 3;

/** Whether a file of this name in a storage is one of these. */
export const isKnownEntriesName = (name: string): boolean => /^\.entries-[0-9a-f]{16}$/.test(name);

export function knownEntriesName({ instance, source, container, isEncrypted }: KnownEntriesKey): string {
  const key = JSON.stringify([instance, source, container, isEncrypted]);
  return `.entries-${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;
}

/**
 * Removes what is remembered of an archive that is deleted: names and sums of files are not to outlive it. What cannot be
 * removed now is replaced by the next backup.
 */
export async function removeKnownEntries(folder: string, archive: string): Promise<void> {
  for (const name of (await readdir(folder)).filter(isKnownEntriesName)) {
    const path = join(folder, name);
    if ((await readHeader(path))?.archive === archive) await rm(path, { force: true }).catch(() => undefined);
  }
}

async function readHeader(path: string): Promise<Header | undefined> {
  const source = await openByteSource(path).catch(() => undefined);
  const block = await source?.read(0, headerBytes).catch(() => undefined);
  await source?.close();
  return block === undefined ? undefined : parseHeader(block);
}

/** Undefined where pieces sealed so are not to be opened. */
export type SealFor = (salt: Buffer | undefined) => Promise<PieceSeal | undefined>;

/** The entries of one source, in archive order. */
export class KnownEntries {
  readonly of: KnownArchive;
  readonly salt: Buffer | undefined;
  readonly #source: ByteSource;
  readonly #context: Buffer;
  readonly #seal: PieceSeal;

  private constructor(source: ByteSource, header: Header, context: Buffer, seal: PieceSeal) {
    this.#source = source;
    this.#context = context;
    this.#seal = seal;
    const { archive, level, salt } = header;
    this.of = { archive, level };
    this.salt = saltOf(salt);
  }

  /** Undefined where there are none that can be read. */
  static async open(folder: string, key: KnownEntriesKey, sealFor: SealFor): Promise<KnownEntries | undefined> {
    const source = await openByteSource(join(folder, knownEntriesName(key))).catch(() => undefined);
    if (source === undefined) return undefined;
    const block = await source.read(0, headerBytes).catch(() => undefined);
    const header = block === undefined ? undefined : parseHeader(block);
    const seal = header === undefined ? undefined : await sealFor(saltOf(header.salt));
    if (block !== undefined && header !== undefined && seal !== undefined) {
      return new KnownEntries(source, header, block, seal);
    }
    await source.close();
    return undefined;
  }

  /** Piece by piece; ends where one is damaged. */
  async *pieces(): AsyncGenerator<KnownRecord[]> {
    const { size } = this.#source;
    for (let at = headerBytes, index = 0; at + 4 <= size; index += 1) {
      const length = (await this.#source.read(at, 4)).readUInt32LE(0);
      if (length > maxPieceBytes || at + 4 + length > size) return;
      const piece = this.#seal.open(await this.#source.read(at + 4, length), contextOf(this.#context, index));
      if (piece === undefined) return;
      yield [...decodeRecords(piece)];
      at += 4 + length;
    }
  }

  async close(): Promise<void> {
    await this.#source.close();
  }
}

/** Those of an archive that is being written. */
export class NewKnownEntries {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #finalPath: string;
  readonly #context: Buffer;
  readonly #seal: PieceSeal;
  #gathered: Buffer[] = [];
  #bytes = 0;
  #index = 0;
  #writing: Promise<void>;

  private constructor(file: FileHandle, finalPath: string, header: Header, seal: PieceSeal) {
    this.#file = file;
    this.#finalPath = finalPath;
    this.#path = partialPath(finalPath);
    this.#seal = seal;
    this.#context = Buffer.alloc(headerBytes, ' ');
    this.#context.write(`${JSON.stringify(header)}\n`);
    this.#writing = this.#write(this.#context);
    // Told by `publish`; until then it must not count as unhandled.
    this.#writing.catch(() => undefined);
  }

  /** The storage is locked: nobody else writes them. `salt`: of the seal, where that has one. */
  static async create(
    folder: string,
    key: KnownEntriesKey,
    of: KnownArchive,
    { seal, salt }: { readonly seal: PieceSeal; readonly salt: Buffer | undefined },
  ): Promise<NewKnownEntries> {
    const path = join(folder, knownEntriesName(key));
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
    const file = await open(partialPath(path), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
    return new NewKnownEntries(file, path, { format, ...of, salt: salt?.toString('base64') ?? null }, seal);
  }

  add(record: KnownRecord): void {
    const bytes = encodeRecord(record);
    this.#gathered.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= pieceBytes) this.#flush();
  }

  /** They take the place of the earlier ones. Rejects where they could not be written. */
  async publish(): Promise<void> {
    if (this.#bytes > 0) this.#flush();
    await this.#writing;
    await this.#file.close();
    await rename(this.#path, this.#finalPath);
  }

  /** Lets go of them, unless they are published. Never rejects. */
  async discard(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#file.close().catch(() => undefined);
    await rm(this.#path, { force: true }).catch(() => undefined);
  }

  #flush(): void {
    const closed = this.#seal.close(Buffer.concat(this.#gathered), contextOf(this.#context, this.#index++));
    this.#gathered = [];
    this.#bytes = 0;
    const length = Buffer.alloc(4);
    length.writeUInt32LE(closed.length);
    this.#writing = this.#writing.then(() => this.#write(Buffer.concat([length, closed])));
    this.#writing.catch(() => undefined);
  }

  async #write(bytes: Buffer): Promise<void> {
    await this.#file.appendFile(bytes);
  }
}

const saltOf = (salt: string | null): Buffer | undefined => (salt === null ? undefined : Buffer.from(salt, 'base64'));

/** A piece is one of its own file, and has its place in it. */
function contextOf(header: Buffer, index: number): Buffer {
  const place = Buffer.alloc(8);
  place.writeBigUInt64LE(BigInt(index));
  return Buffer.concat([header, place]);
}

function parseHeader(block: Buffer): Header | undefined {
  try {
    const found = JSON.parse(block.toString()) as Partial<Header>;
    const { archive, level, salt } = found;
    if (found.format !== format || typeof archive !== 'string' || typeof level !== 'number') return undefined;
    return typeof salt === 'string' || salt === null ? { format, archive, level, salt } : undefined;
  } catch {
    return undefined;
  }
}
