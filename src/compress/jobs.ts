import type { Strength } from './derive-key.js';

/** How a small entry was packed: zip's method numbers (APPNOTE 4.4.5). */
export type Method = 0 | 8;

export interface PackedItem {
  readonly method: Method;
  /** Bytes in the result's `data`, where the items lie one behind the other. */
  readonly length: number;
  /** 0 where it is encrypted: it would tell of the content. */
  readonly crc: number;
  /** Lower-case hexadecimal, over the content. */
  readonly sha256: string;
}

/** The small entries of a job are encrypted as `compress/aes.ts` does it; those without content stay as they are. */
export interface SealOrder {
  /** In shared memory. */
  readonly passphrase: Uint8Array;
  /** The keys are wanted, for reading back. */
  readonly keepKeys: boolean;
}

/** What opens the encrypted entries of a job. */
export interface OpenOrder {
  /** In shared memory. */
  readonly passphrase: Uint8Array;
  /** Keys that are known, one behind the other. */
  readonly keys: Uint8Array;
}

/** Where a block lies in the encrypted bytes of a large entry, and the key they are encrypted with. */
export interface CipherPlace {
  readonly key: Uint8Array;
  readonly strength: Strength;
  readonly position: number;
}

export interface InflateItem {
  readonly method: Method;
  /** Compressed bytes in the job's `data`, where the items lie one behind the other. */
  readonly length: number;
  /** Bytes of content, as declared: never more than this is inflated. */
  readonly size: number;
  /** Undefined where the container has none. */
  readonly crc: number | undefined;
  /** It is encrypted; `keyAt`: where its key begins among those that are known. */
  readonly seal?: { readonly strength: Strength; readonly keyAt: number | undefined };
  /** The content is wanted, not its sum alone. */
  readonly keep: boolean;
}

export type InflatedItem =
  | { readonly sha256: string }
  | {
      readonly damage: 'authentication-failed' | 'content-undecodable' | 'crc-mismatch' | 'size-mismatch';
      readonly message: string;
    };

export interface SummedItem {
  /** Where it begins in the job's `data`. */
  readonly start: number;
  readonly length: number;
  readonly sum: Uint8Array;
}

/** What is to be known of a block beside its deflated bytes. */
export interface BlockTrace {
  /** The packed sum is wanted; not of what is encrypted afterwards. */
  readonly sum: boolean;
  /** The SHA-256 of its content is wanted. */
  readonly content: boolean;
  /** The SHA-256 that a block of an earlier archive has in its place: the same content is not deflated again. */
  readonly known?: Uint8Array;
}

/** Of a block that was traced. */
export interface TracedBlock {
  /** Its packed sum. */
  readonly sum?: Uint8Array;
  /** SHA-256 of its content. */
  readonly content?: Uint8Array;
}

/** What a worker thread does. Buffers in jobs and results are transferred, not copied. */
export interface JobMap {
  /** Small files, one behind the other: each deflated, or stored where that is not smaller. */
  'deflate-batch': {
    readonly in: {
      readonly data: Uint8Array;
      readonly lengths: readonly number[];
      readonly level: number;
      readonly seal?: SealOrder;
      /** Packed sums are wanted. */
      readonly traced?: boolean;
    };
    /**
     * `keys`: of the encrypted items, one behind the other, to be wiped; empty unless they were asked for. `sums`: the packed
     * sum of each item, likewise.
     */
    readonly out: {
      readonly data: Uint8Array;
      readonly items: readonly PackedItem[];
      readonly keys: Uint8Array;
      readonly sums: Uint8Array;
    };
  };
  /**
   * One block of a large file, at most `blockSize`: ended by a full flush, so that blocks joined are one deflate stream
   * and each can be inflated alone; the last one ends the stream. A block that does not shrink becomes stored blocks.
   */
  'deflate-block': {
    readonly in: {
      readonly data: Uint8Array;
      readonly level: number;
      readonly last: boolean;
      readonly trace?: BlockTrace;
    };
    readonly out: TracedBlock & {
      readonly data: Uint8Array;
      /** It is the known block: `data` is what was given, not deflated. */
      readonly isKnown?: boolean;
    };
  };
  /** One gzip member of our own shape (docs/archive-format.md), of at most `blockSize` bytes. */
  'gzip-member': {
    readonly in: { readonly data: Uint8Array; readonly level: number; readonly trace?: BlockTrace };
    /** As of `deflate-block`. */
    readonly out: TracedBlock & { readonly data: Uint8Array; readonly isKnown?: boolean };
  };
  /** Small entries: decrypted, inflated, compared with their declared size and CRC, summed. `data` holds those to keep. */
  'inflate-batch': {
    readonly in: { readonly data: Uint8Array; readonly items: readonly InflateItem[]; readonly open?: OpenOrder };
    readonly out: { readonly data: Uint8Array; readonly items: readonly InflatedItem[] };
  };
  /** One block of a large entry, exactly `size` bytes of content; throws where it is anything else. */
  'inflate-block': {
    readonly in: {
      readonly data: Uint8Array;
      readonly size: number;
      readonly last: boolean;
      readonly cipher?: CipherPlace;
    };
    readonly out: { readonly data: Uint8Array };
  };
  /** Bytes of an encrypted entry, encrypted or decrypted: to a counter mode both are the same. */
  cipher: {
    readonly in: { readonly data: Uint8Array; readonly cipher: CipherPlace; readonly traced?: boolean };
    readonly out: { readonly data: Uint8Array; readonly sum?: Uint8Array };
  };
  /** Packed bytes of an earlier archive, and where in them each lies: whether it has its packed sum. `data` comes back. */
  'compare-sums': {
    readonly in: { readonly data: Uint8Array; readonly items: readonly SummedItem[] };
    readonly out: { readonly data: Uint8Array; readonly intact: readonly boolean[] };
  };
  /** One whole gzip member of at most `maxBytes` content; throws where it is damaged or not exactly one member. */
  'gunzip-member': {
    readonly in: { readonly data: Uint8Array; readonly maxBytes: number };
    readonly out: { readonly data: Uint8Array };
  };
}

export type JobKind = keyof JobMap;

export interface JobMessage<K extends JobKind = JobKind> {
  readonly id: number;
  readonly kind: K;
  readonly input: JobMap[K]['in'];
}

/** `spent`: the memory of the input, for the next one. */
export type JobReply =
  | { readonly id: number; readonly output: JobMap[JobKind]['out']; readonly spent: ArrayBuffer | undefined }
  | { readonly id: number; readonly error: string };
