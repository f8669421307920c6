import { createHash } from 'node:crypto';
import { crc32, deflateRawSync } from 'node:zlib';
import { endOfArchive, rawEntry } from '../archive/tar/raw-tar.js';
import { buildZip, type RawEnd, type RawEntry } from './zip-builder.js';

/**
 * Archives whose proofs fit what they hold, lie by lie: sums, manifest and body hash are those of whatever body they are
 * made of, so that nothing but the lie itself is there to be found. Knows nothing of `src`.
 */
export interface Hostile {
  /** `<id>.<what>.<container>`: the id is what it must give. */
  readonly name: string;
  readonly bytes: Buffer;
  /** The text of the `.sha256` beside it. */
  readonly side?: string;
  /** Found beside what it is named by, because the lie makes them true. */
  readonly also?: readonly string[];
}

export type Json = Record<string, unknown>;

/** What may be told instead of the truth. */
interface Lies {
  readonly sums?: (honest: string) => string | Buffer;
  readonly manifest?: (honest: Json) => Json | string | Buffer;
  /** Links that the manifest lists. */
  readonly links?: Readonly<Record<string, string>>;
}

export interface ZipPlan extends Lies {
  readonly body: readonly RawEntry[];
  /** Files that SHA256SUMS lists; by default all of the body. */
  readonly listed?: readonly RawEntry[];
  readonly end?: RawEnd;
  /** What the entries of the two proving files are replaced with. */
  readonly tail?: (sums: RawEntry, manifest: RawEntry) => readonly RawEntry[];
}

export interface TarPlan extends Lies {
  /** Headers and contents, one behind the other. */
  readonly body: readonly Buffer[];
  /** Files that SHA256SUMS lists. */
  readonly files?: Readonly<Record<string, string>>;
  /** Behind the manifest's entry; by default the two blocks that end a tar. */
  readonly end?: Buffer;
  /** What the gzip members (body, sums, manifest, the one that ends it) are replaced with. */
  readonly members?: (members: readonly Buffer[]) => readonly Buffer[];
}

interface Told {
  readonly sums: Buffer;
  readonly manifest: Buffer;
}

const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');
const typeOf = ({ mode = 0o100000 }: RawEntry): number => mode & 0o170000;

const endBytes = 22;

export function packZip({ body, listed = body, end, tail, ...lies }: ZipPlan): Buffer {
  const files = listed
    .filter((entry) => typeOf(entry) === 0o100000 && !String(entry.name).endsWith('/'))
    .map(({ name = '', content = '' }): [string, string | Buffer] => [String(name), content]);
  // Locals, then central records: what the body hash is over, and nothing else but the end record.
  const bodyHash = sha256(buildZip(body).subarray(0, -endBytes));
  const { sums, manifest } = told(files, bodyHash, lies);
  const proofs: [RawEntry, RawEntry] = [
    { name: 'SHA256SUMS', content: sums },
    { name: 'manifest.json', content: manifest },
  ];
  return buildZip([...body, ...(tail?.(...proofs) ?? proofs)], end);
}

export function packTar({ body, files = {}, end = endOfArchive, members, ...lies }: TarPlan): Buffer {
  const packed = inMembers(Buffer.concat(body));
  const { sums, manifest } = told(Object.entries(files), sha256(packed), lies);
  const sumsMember = inMembers(rawEntry({ name: 'SHA256SUMS' }, sums));
  const manifestMember = inMembers(Buffer.concat([rawEntry({ name: 'manifest.json' }, manifest), end]));
  const all = [packed, sumsMember, manifestMember, ending(packed.length, packed.length + sumsMember.length)];
  return Buffer.concat(members?.(all) ?? all);
}

function told(files: readonly (readonly [string, string | Buffer])[], bodyHash: string, lies: Lies): Told {
  const lines = files.map(([name, content]) => `${sha256(content)}  ${name}\n`).join('');
  const sums = Buffer.from(lies.sums?.(lines) ?? lines);
  const bytes = files.reduce((sum, [, content]) => sum + Buffer.byteLength(content), 0);
  const links = Object.entries(lies.links ?? {}).map(([path, target]) => ({ path, target }));
  const counts = { files: files.length, bytes };
  const honest: Json = {
    ...{ version: '1.0.0', generatedAt: '2025-10-30T12:00:00Z', includes: ['uploads'], hash: `sha256:${sha256(sums)}` },
    ...{ encryption: { enabled: false }, bodyHash: `sha256:${bodyHash}`, id: '20251030T120000Z-manual' },
    ...{ instance: 'app', complete: true, totals: { ...counts, directories: 0, links: links.length }, findings: [] },
    sources: [{ name: 'uploads', type: 'directory', scope: 'uploads', path: 'uploads', ...counts, links }],
  };
  const manifest = lies.manifest?.(honest) ?? honest;
  const text = typeof manifest === 'string' || Buffer.isBuffer(manifest) ? manifest : JSON.stringify(manifest);
  return { sums, manifest: Buffer.from(text) };
}

const memberTarBytes = 1024 * 1024;

function inMembers(tar: Buffer): Buffer {
  const members: Buffer[] = [];
  for (let at = 0; at < tar.length; at += memberTarBytes) members.push(member(tar.subarray(at, at + memberTarBytes)));
  return Buffer.concat(members);
}

/** A gzip member (RFC 1952) of any content whose subfield `BK` has its size. */
export function member(content: Buffer): Buffer {
  const head = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 8, 0, 0x42, 0x4b, 4, 0, 0, 0, 0, 0]);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(content), 0);
  trailer.writeUInt32LE(content.length, 4);
  const all = Buffer.concat([head, deflateRawSync(content), trailer]);
  all.writeUInt32LE(all.length, 16);
  return all;
}

/** The empty member that ends an archive, with these offsets in its subfield `BX`. */
export function ending(sumsAt: number, manifestAt: number): Buffer {
  const head = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 28, 0, 0x42, 0x4b, 4, 0, 50, 0, 0, 0]);
  const offsets = Buffer.alloc(20);
  offsets.set([0x42, 0x58, 16, 0]);
  offsets.writeBigUInt64LE(BigInt(sumsAt), 4);
  offsets.writeBigUInt64LE(BigInt(manifestAt), 12);
  return Buffer.concat([head, offsets, Buffer.from([3, 0]), Buffer.alloc(8)]);
}

/** A copy with other bytes at a place. */
export function patched(bytes: Buffer, at: number, patch: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  patch.copy(copy, at < 0 ? bytes.length + at : at);
  return copy;
}
