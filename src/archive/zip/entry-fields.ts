import type { EarlierBlocks, EntryHeader, PackedBlocks, PackedFile } from '../archive.js';
import type { Mark } from '../sink.js';
import type { LargeSeal } from './large-seal.js';
import type { AesField } from './extra-fields.js';
import { max32, methodAes, type RecordFields } from './records.js';
import { sealBytes } from '../../compress/aes.js';
import type { PackedItem, TracedBlock } from '../../compress/jobs.js';

/** A large entry while it is written; what the queue learns of it comes in the queue's order. */
export interface LargeEntry {
  readonly header: EntryHeader;
  /** Stays 0 where it is encrypted. */
  crc: number;
  sha256: string;
  mark: Mark | undefined;
  offset: number;
  /** Where its packed bytes begin. */
  dataAt: number;
  readonly blocks: number[];
  /** Undefined where it is not encrypted, or taken over. */
  readonly seal: LargeSeal | undefined;
  /** What an earlier archive has of it, where it is written anew. */
  readonly earlier: EarlierBlocks | undefined;
  /** It is taken over from an earlier archive. */
  readonly taken: PackedBlocks | undefined;
  /** What was traced of its blocks. */
  readonly traces: TracedBlock[];
}

/** A large entry of which nothing is written yet. */
export function largeEntry(
  header: EntryHeader,
  { seal, earlier, taken }: Pick<Partial<LargeEntry>, 'seal' | 'earlier'> & { readonly taken?: PackedFile },
): LargeEntry {
  const { place, sha256 = '' } = taken ?? {};
  const begun = { crc: place?.crc ?? 0, sha256, mark: undefined, offset: 0, dataAt: 0, blocks: [], traces: [] };
  return { header, ...begun, seal, earlier, taken: place?.blocks };
}

/** Wipes the keys of an entry of which nothing is packed any more. */
export function forgetKeys({ seal, earlier }: LargeEntry): void {
  seal?.forget();
  earlier?.forget();
}

const isEncrypted = ({ seal, taken }: LargeEntry): boolean =>
  seal !== undefined || (taken !== undefined && taken.head.length > 0);

const typeBits = { file: 0o100000, directory: 0o040000, link: 0o120000 } as const;
/** Content from here on may grow beyond 32 bits when deflate cannot shrink it: its descriptor gets 8-byte sizes. */
const largeFrom = 0xf0000000;

/** AE-2 with AES-256. `method`: the one inside. */
const encrypted = (method: number): AesField => ({ version: 2, strength: 3, method });

export function smallFields(
  header: EntryHeader,
  item: PackedItem,
  { isSealed, offset }: { readonly isSealed: boolean; readonly offset: number },
): RecordFields {
  // One shape, without spreading: this is done for each of a million files.
  return {
    name: nameOf(header),
    method: isSealed ? methodAes : item.method,
    aes: isSealed ? encrypted(item.method) : undefined,
    mode: modeOf(header),
    mtime: header.mtime,
    uid: header.uid,
    gid: header.gid,
    crc: item.crc,
    size: header.kind === 'link' ? Buffer.byteLength(header.target ?? '') : header.size,
    packedSize: item.length,
    descriptor: false,
    large: false,
    offset,
  };
}

/** As far as it is known by now: for the local record, or for descriptor and central record when all was written. */
export function largeFields(entry: LargeEntry): RecordFields {
  const isSealed = isEncrypted(entry);
  // Nothing has no blocks, and no deflate stream either.
  const method = entry.header.size === 0 ? 0 : 8;
  const { mtime, uid, gid } = entry.header;
  return {
    name: nameOf(entry.header),
    method: isSealed ? methodAes : method,
    aes: isSealed ? encrypted(method) : undefined,
    mode: modeOf(entry.header),
    mtime,
    uid,
    gid,
    crc: entry.crc,
    size: entry.header.size,
    packedSize: entry.blocks.reduce((sum, bytes) => sum + bytes, isSealed ? sealBytes(3) : 0),
    descriptor: true,
    // Where the central record has a zip64 field for the offset, a reader may expect 8-byte sizes behind the content.
    large: entry.header.size >= largeFrom || entry.offset >= max32,
    offset: entry.offset,
    blocks: entry.blocks,
  };
}

const nameOf = ({ kind, path }: EntryHeader): Buffer => Buffer.from(kind === 'directory' ? `${path}/` : path);

const modeOf = ({ kind, mode }: EntryHeader): number => typeBits[kind] | mode;
