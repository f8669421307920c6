const KiB = 1024;
const MiB = 1024 * KiB;

/** What create may write and every reader accepts: one rule set for both. */
export const limits = {
  /** Entries of one archive. */
  maxEntries: 10_000_000,
  /** Segments of an entry's path. */
  maxDepth: 256,
  /** Bytes of an entry's path, its source's name included. */
  maxPathBytes: 4096,
  /** Bytes of one segment; also a link's longest target. */
  maxNameBytes: 255,
  maxLinkBytes: 4096,
  maxManifestBytes: 64 * MiB,
  /** Of SHA256SUMS. */
  maxSumsBytes: 1024 * MiB,
  /** A pax extended header in a tar. */
  maxPaxBytes: 1 * MiB,
  /** The largest regular file: what a double counts exactly. */
  maxFileBytes: Number.MAX_SAFE_INTEGER,
} as const;

/** The unit of compression: large files are cut into blocks of this size, tar data into members of at most this size. */
export const blockSize = 1 * MiB;
