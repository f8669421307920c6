import type { ByteSink, ByteSource } from '../base/byte-source.js';
import type { Clock } from '../base/clock.js';
import type { Glimpse } from '../fs/glimpse.js';

/** A file in a storage. */
export interface StoredFile {
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since 1970. For display: when a backup was made says its id. */
  readonly modified: number;
}

/** An archive on its way into the storage: not listed before it is published. Ends with `publish` or `discard`. */
export interface StoragePartial extends ByteSink {
  /** What was written so far lies safely there. */
  sync(): Promise<void>;
  /** To read back what was written, as the storage has it. */
  open(): Promise<ByteSource>;
  /** Gives it its name. Throws `output-exists` rather than replace a file. */
  publish(): Promise<void>;
  /** Removes it; nothing to do once it is published. Never rejects. */
  discard(): Promise<void>;
}

export interface StorageLockRequest {
  /** What holds it, for others: `create`, `prune`, … */
  readonly holder: string;
  /** Milliseconds to wait for another run. */
  readonly wait: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

export interface StorageLock {
  release(): void;
}

/**
 * Where archives and their side files live: a flat list of names (single path segments, not beginning with a dot).
 * Reading throws `storage-not-found` where the storage is missing, writing `storage-unwritable` where it cannot be.
 */
export interface Storage {
  /** For people: a path, later a URL. */
  readonly location: string;
  /** Its folder on this machine, where it has one: databases are staged in it, and no source may take it in. */
  readonly folder: string | undefined;
  list(): Promise<readonly StoredFile[]>;
  /** Undefined where there is no such file. */
  stat(name: string): Promise<StoredFile | undefined>;
  /** Throws `file-not-found`. */
  open(name: string): Promise<ByteSource>;
  /**
   * What `look` finds in a file, where its bytes are there without waiting for them. Undefined where they are not, or the file
   * is not there or cannot be read: `open` tells.
   */
  glance<T>(name: string, look: (file: Glimpse) => T | undefined): T | undefined;
  createPartial(name: string): Promise<StoragePartial>;
  /** A small file beside an archive, whole or not at all; replaces one of that name. */
  writeSide(name: string, bytes: Uint8Array): Promise<void>;
  /** Undefined where there is none. Throws `archive-damaged` where it is larger than such a file can be. */
  readSide(name: string, maxBytes: number): Promise<Buffer | undefined>;
  /** Nothing there is no error. */
  remove(name: string): Promise<void>;
  /** Makes it where it is missing, and makes sure that it can be written to. */
  prepare(): Promise<void>;
  /** Only one run writes at a time; readers never need it. Throws `lock-held`. */
  lock(request: StorageLockRequest): Promise<StorageLock>;
  /**
   * Removes what killed runs were writing under names that `isOwn` takes for ours; gives the names of what was removed.
   * Only while the lock is held.
   */
  removeDeadPartials(isOwn: (name: string) => boolean): Promise<readonly string[]>;
}
