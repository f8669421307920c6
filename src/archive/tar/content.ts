import { createHash } from 'node:crypto';
import { ArchiveDamage } from '../../base/damage.js';
import { blockSize, limits } from '../../base/limits.js';
import { manifestName, type Decoded, type DecodeOptions } from '../archive.js';
import type { TarEntries, TarEntry } from './entries.js';

/** The whole content of one of the proving files, under its limit. */
export async function provingFile(entries: TarEntries, entry: TarEntry): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of provingChunks(entries, entry)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces, entry.header.size);
}

/** The same as views, each good until the next one is taken. */
export async function* provingChunks(entries: TarEntries, entry: TarEntry): AsyncGenerator<Buffer> {
  const { header, damage } = entry;
  const max = header.path === manifestName ? limits.maxManifestBytes : limits.maxSumsBytes;
  if (damage !== undefined) throw new ArchiveDamage(damage.id, damage.message, damage.path);
  if (header.kind !== 'file' || header.size > max) {
    throw new ArchiveDamage('structure-invalid', `it is no file of at most ${max} bytes`, header.path);
  }
  yield* chunksOf(entries, entry);
}

/** What is wanted of the latest entry's content. */
export async function decoded(entries: TarEntries, entry: TarEntry, want: DecodeOptions['want']): Promise<Decoded> {
  const { header, damage } = entry;
  if (damage !== undefined) return { kind: 'damaged', damage };
  if (header.kind !== 'file') return { kind: 'none' };
  const wanted = want(header);
  if (wanted === 'nothing') return { kind: 'none' };
  if (header.size > blockSize && wanted === 'content') return { kind: 'chunks', chunks: chunksOf(entries, entry) };
  if (header.size > blockSize) return { kind: 'sum', sha256: await sumOf(entries, entry) };
  const bytes = await entries.whole();
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return wanted === 'sum' ? { kind: 'sum', sha256 } : { kind: 'bytes', bytes: Buffer.from(bytes), sha256 };
}

async function sumOf(entries: TarEntries, entry: TarEntry): Promise<string> {
  const hash = createHash('sha256');
  for (let piece = await entries.piece(entry); piece !== undefined; piece = await entries.piece(entry))
    hash.update(piece);
  return hash.digest('hex');
}

async function* chunksOf(entries: TarEntries, entry: TarEntry): AsyncGenerator<Buffer> {
  for (let piece = await entries.piece(entry); piece !== undefined; piece = await entries.piece(entry)) yield piece;
}
