/** Random access to something that does not change its size while it is open: a file, later an object in a bucket. */
export interface ByteSource {
  /** How people find it: a path. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /**
   * Exactly `length` bytes from `position`; rejects where the source ends before. The buffer belongs to the caller; it is a
   * view of `into` where that is given and large enough.
   */
  read(position: number, length: number, into?: Buffer): Promise<Buffer>;
  close(): Promise<void>;
}

/** Where an archive's bytes go, in order. */
export interface ByteSink {
  /** When it resolves, the bytes may be used for something else. */
  write(bytes: Uint8Array): Promise<void>;
  /** Cuts what was written back to `size` bytes. Absent where bytes cannot be taken back (standard output). */
  truncate?(size: number): Promise<void>;
}
