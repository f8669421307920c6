import type { EntryPath } from '../base/entry-path.js';
import type { Damage } from '../base/damage.js';
import type { Passphrase } from '../base/passphrase.js';
import type { KeptKeys } from './kept-keys.js';

/** The two containers. One content, the same in both. */
export type Container = 'zip' | 'tar.gz';

export type EntryKind = 'file' | 'directory' | 'link';

/** What an archive records of one file, folder or symbolic link. */
export interface EntryHeader {
  readonly path: EntryPath;
  readonly kind: EntryKind;
  /** Bytes of content; 0 unless a file. */
  readonly size: number;
  /** Permission bits with set-id and sticky (0 to 0o7777), without the type. */
  readonly mode: number;
  /** Nanoseconds since 1970, UTC; may be negative. */
  readonly mtime: bigint;
  readonly uid: number;
  readonly gid: number;
  /** Of a link: where it points, as text. */
  readonly target?: string;
}

/** What goes into an entry. */
export type Content =
  /** Folders and links. */
  | { readonly kind: 'none' }
  /** A small file (at most one block), whole. The writer may transfer the buffer away. */
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /**
   * A large file: `read` gives exactly the header's `size` bytes, in order, in chunks of any size, which the writer may
   * transfer away. Where it throws, the writer takes back what it wrote of the entry and keeps usable (where the sink
   * cannot, every later call rejects with that error too), and `add` rejects with that error.
   */
  | { readonly kind: 'blocks'; readonly read: () => AsyncIterable<Buffer>; readonly earlier?: EarlierBlocks }
  /**
   * A small file as it lies in an earlier archive of the same container, level and passphrase: nothing is compressed again.
   * `written`: told when its bytes, and those of all entries before it, are not looked at any longer.
   */
  | { readonly kind: 'packed'; readonly packed: PackedFile; readonly bytes: Buffer; readonly written?: () => void }
  /** A large one: `read` gives its packed blocks, whole and in order; where it throws, it is as with `blocks`. */
  | { readonly kind: 'packed-blocks'; readonly packed: PackedFile; readonly read: () => AsyncIterable<Buffer> };

/** The sum of a regular file, told in archive order. */
export interface EntrySum {
  readonly path: EntryPath;
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  /** Where it lies, if the container can take files over and the writer was told to trace. */
  readonly place?: PackedPlace;
}

/** How and where the content of a file lies in an archive. Sums: see `compress/packed-sum.ts`. */
export interface PackedPlace {
  /** Of its first packed byte; bytes from the archive's beginning. */
  readonly offset: number;
  /** Packed bytes in all. */
  readonly length: number;
  /** The one inside, where it is encrypted. */
  readonly method: 0 | 8;
  /** As the container has it: 0 where it is encrypted. */
  readonly crc: number;
  /** The packed sum; of a large file its blocks have theirs instead. */
  readonly sum: Buffer | undefined;
  readonly blocks: PackedBlocks | undefined;
}

/** The blocks of a large file, one behind the other. */
export interface PackedBlocks {
  /** Packed bytes of each. */
  readonly sizes: readonly number[];
  /** Packed sums, one behind the other. */
  readonly sums: Buffer;
  /** SHA-256 of the content of each, where that was asked for (`EarlierBlocks`). */
  readonly contents: Buffer | undefined;
  /** What encryption puts before and behind them. */
  readonly head: Buffer;
  readonly tail: Buffer;
}

/** A file that is taken over, proven to be what it was when it was written. */
export interface PackedFile {
  readonly place: PackedPlace;
  /** Of its content. Lower-case hexadecimal. */
  readonly sha256: string;
}

/** Small entries that lie together in an archive, whole, and nothing else with them: of a tar.gz, one gzip member. */
export interface PackedMember {
  /** Of its first packed byte; bytes from the archive's beginning. */
  readonly offset: number;
  /** Packed bytes. */
  readonly length: number;
  /** Bytes that it unpacks to. */
  readonly size: number;
  /** The packed sum. */
  readonly sum: Buffer;
}

/** A member that is taken over, proven to be what it was when it was written. */
export interface TakenMember {
  /** Of the files among its entries, in their order. */
  readonly sums: readonly EntrySum[];
  readonly member: PackedMember;
  readonly packed: Buffer;
  /** Told where it lies now, in the order of the archive. */
  readonly written: (member: PackedMember) => void;
}

/** For a large file that is written anew: the blocks that an earlier archive has of it. */
export interface EarlierBlocks {
  /** SHA-256 of the content of a block; undefined where it has none there. */
  content(index: number, last: boolean): Uint8Array | undefined;
  /**
   * The packed block, proven to be what it was; undefined where it is not. Of an encrypted archive it is decrypted, and has no
   * packed sum: it gets another where it is encrypted anew.
   */
  read(index: number): Promise<{ readonly packed: Buffer; readonly sum: Buffer | undefined } | undefined>;
  /** Nothing more is asked for: wipes keys. May be called again. */
  forget(): void;
}

/** What ends an archive: the two files that prove the rest. */
export interface ArchiveTail {
  /** SHA256SUMS, in chunks; `sumsBytes` in all. */
  readonly sums: () => AsyncIterable<Buffer>;
  readonly sumsBytes: number;
  /** manifest.json. */
  readonly manifest: Buffer;
  /** Of both, and of the entries' owner: root. Nanoseconds since 1970. */
  readonly mtime: bigint;
  /** One JSON line in clear, where the container has a comment (zip). */
  readonly comment: string;
}

/** The finished archive as a file. */
export interface ArchiveProof {
  readonly bytes: number;
  /** Lower-case hexadecimal, over all bytes. */
  readonly sha256: string;
}

/** Writes one archive in order. Calls are made one after the other, each awaited. */
export interface ArchiveWriter {
  /**
   * Memory to read content into that the writer then has not to copy or to make anew: of the small file that is added next,
   * or for one chunk of a large one.
   */
  room(kind: 'bytes' | 'blocks', bytes: number): Buffer;
  /** Resolves when the entry is accepted; waits while too much is in flight. Rejects with the first failure of the sink. */
  add(entry: EntryHeader, content: Content): Promise<void>;
  /** Entries as they lie together in an earlier archive of the same level, where the container has such members (tar.gz). */
  addMember(taken: TakenMember): Promise<void>;
  /** All entries before SHA256SUMS are written; `bodyHash` is `sha256:` and hexadecimal (docs/archive-format.md). */
  endBody(): Promise<{ readonly bodyHash: string }>;
  finish(tail: ArchiveTail): Promise<ArchiveProof>;
  /** Lets go of everything; what was written is useless. Never rejects. */
  abort(): Promise<void>;
}

/** The names of the two files that end an archive. */
export const sumsName = 'SHA256SUMS';
export const manifestName = 'manifest.json';

export interface DecodeOptions {
  /** Asked once for each regular file, in archive order: its bytes or chunks, its sum alone, or nothing (content is then not decoded). */
  readonly want: (entry: EntryHeader) => 'content' | 'sum' | 'nothing';
  /**
   * Of an archive of our own: contents of which nothing is wanted, by the places where their blocks begin. A reader that could
   * find what comes behind them only by decoding them passes them by.
   */
  readonly passBy?: PassedBy | undefined;
  readonly signal?: AbortSignal;
}

/** By the first packed byte of a large file: the packed bytes of each block, and the bytes of content in all. */
export type PassedBy = ReadonlyMap<number, { readonly sizes: readonly number[]; readonly size: number }>;

export type Decoded =
  | { readonly kind: 'none' }
  /** A small file, whole, with its sum. */
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly sha256: string }
  /** A file's sum alone. */
  | { readonly kind: 'sum'; readonly sha256: string }
  /** A large file: to be read to its end before the next entry is asked for, each chunk before the next chunk. Throws `ArchiveDamage` where it is damaged. */
  | { readonly kind: 'chunks'; readonly chunks: AsyncIterable<Buffer> }
  /** The content cannot be decoded, or is not what the container says of it; the entries after it can. */
  | { readonly kind: 'damaged'; readonly damage: Damage };

export interface DecodedEntry {
  readonly header: EntryHeader;
  readonly content: Decoded;
}

/** The two proving files as found; undefined where the archive does not hold them. */
export interface ReadTail {
  readonly manifest: Buffer | undefined;
  /** SHA256SUMS: read from the archive each time it is called. Its chunks may throw `ArchiveDamage`. */
  readonly sums: (() => AsyncIterable<Buffer>) | undefined;
}

/** What names an entry. */
export type NamedEntry = Pick<EntryHeader, 'path' | 'kind'>;

/** Thrown where an archive is encrypted so that not even its entries can be told. */
export class UnsupportedEncryption extends Error {
  override readonly name = 'UnsupportedEncryption';
}

/** Thrown by `readManifest` where the manifest was not among as many bytes of content as it was to look through. */
export class ManifestTooFar extends Error {
  override readonly name = 'ManifestTooFar';
}

/** `aes`: at least one entry, as WinZip does it. `unsupported`: in another way, which cannot be opened. */
export type Encryption = 'none' | 'aes' | 'unsupported';

/** Reads one archive. Everything in it is hostile until proven. Structural damage is thrown as `ArchiveDamage`. */
export interface ArchiveReader {
  readonly container: Container;
  /** Bytes of the archive as a file. */
  readonly bytes: number;
  /** What lies in clear beside the entries, where the container has such a thing (zip): for display, never trusted. */
  readonly comment: string | undefined;
  /** Whether the content is encrypted, at a glance: for display. */
  isEncrypted(): Promise<boolean>;
  /** How the content is encrypted: derived from all entries. Throws `UnsupportedEncryption` where not even they can be read. */
  encryption(): Promise<Encryption>;
  /**
   * Makes encrypted entries readable; false where this is not their passphrase. It is copied, and the copy wiped by `close`.
   * `keys`: those known from writing it. In an encrypted archive an entry with content in clear is damaged.
   */
  unlock(passphrase: Passphrase, keys?: KeptKeys): Promise<boolean>;
  /**
   * manifest.json alone, by as few reads as the container allows. Undefined where there is none; throws `ManifestTooFar`
   * where the archive was opened with a limit for searching it.
   */
  readManifest(): Promise<Buffer | undefined>;
  /** Both files that prove the rest, under the limits. SHA256SUMS may be large: it is not held. */
  readTail(): Promise<ReadTail>;
  /** One pass in archive order over everything, the two proving files included (as `sum`, unless wanted otherwise). */
  decode(options: DecodeOptions): AsyncIterable<DecodedEntry>;
  /** The entries that `decode` gives, in its order, as far as that goes without damage. */
  names(): AsyncIterable<NamedEntry>;
  /**
   * Reads all bytes once: the archive's own SHA-256, and the body's as `bodyHash` defines it (undefined where the
   * container is not laid out as ours). `advance` is told the bytes read.
   */
  proveBytes(advance?: (bytes: number) => void, signal?: AbortSignal): Promise<ArchiveBytesProof>;
  /** What is wrong with the container although its entries can be read (data between or behind them, …). */
  readonly oddities: readonly Damage[];
  close(): Promise<void>;
}

export interface ArchiveBytesProof {
  readonly sha256: string;
  readonly bodyHash: string | undefined;
}
