import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../helpers/surroundings.js';
import type { ArchiveWriter, Container, EntryHeader, EntryKind } from '../../src/archive/archive.js';
import { createTarWriter } from '../../src/archive/tar/writer.js';
import { createZipWriter } from '../../src/archive/zip/writer.js';
import type { EntryPath } from '../../src/base/entry-path.js';
import { CompressPool } from '../../src/compress/pool.js';
import { sumLine } from '../../src/manifest/checksums.js';

export interface CraftedEntry {
  /** Not checked: hostile ones are what this is for. */
  readonly path: string;
  readonly content?: string | Buffer;
  readonly target?: string;
  readonly kind?: EntryKind;
  readonly mode?: number;
}

export type Json = Record<string, unknown>;

export interface Crafted {
  readonly container?: Container;
  readonly entries: readonly CraftedEntry[];
  /** What the honest sums are replaced with. */
  readonly sums?: (honest: string) => string;
  /** What the honest manifest, with one source for each first segment, is replaced with. */
  readonly manifest?: (honest: Json) => Json | string;
}

const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

function headerOf({ path, content, target, kind, mode }: CraftedEntry): EntryHeader {
  const type = kind ?? (target !== undefined ? 'link' : content === undefined ? 'directory' : 'file');
  return {
    path: path as EntryPath,
    kind: type,
    size: type === 'file' ? Buffer.byteLength(content ?? '') : 0,
    mode: mode ?? (type === 'directory' ? 0o755 : 0o644),
    ...{ mtime: 1_700_000_000_000_000_000n, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    ...(target === undefined ? {} : { target }),
  };
}

function honestManifest(entries: readonly CraftedEntry[], sums: string, bodyHash: string): Json {
  const names = [...new Set(entries.map(({ path }) => path.split('/', 1)[0] ?? ''))].filter(Boolean);
  const sources = names.map((name) => {
    const own = entries.filter(({ path }) => path === name || path.startsWith(`${name}/`));
    const found = own.filter(({ content }) => content !== undefined);
    const links = own.flatMap(({ path, target }) => (target === undefined ? [] : [{ path, target }]));
    const bytes = found.reduce((sum, { content }) => sum + Buffer.byteLength(content ?? ''), 0);
    return { name, type: 'directory', scope: name, path: name, files: found.length, bytes, links };
  });
  const total = (key: 'files' | 'bytes'): number => sources.reduce((sum, source) => sum + source[key], 0);
  return {
    ...{ version: '1.0.0', generatedAt: '2025-10-30T12:00:00Z', includes: names, hash: `sha256:${sha256(sums)}` },
    ...{ encryption: { enabled: false }, bodyHash, id: '20251030T120000Z-manual', instance: 'app', complete: true },
    totals: { files: total('files'), directories: 0, links: 0, bytes: total('bytes') },
    ...{ sources, findings: [] },
  };
}

/** Writes an archive as `bkp` would, but of whatever is asked for; gives its path. */
export async function craft({ container = 'zip', entries, sums, manifest }: Crafted): Promise<string> {
  const folder = temporaryFolder();
  const pool = new CompressPool(1);
  const pieces: Uint8Array[] = [];
  const sink = { write: async (bytes: Uint8Array): Promise<void> => void pieces.push(Uint8Array.from(bytes)) };
  const lines: string[] = [];
  const options = {
    sink,
    pool,
    level: 6,
    onSum: (sum: { path: string; sha256: string }) => void lines.push(sumLine(sum)),
    scratch: folder,
  };
  const writer: ArchiveWriter = container === 'zip' ? createZipWriter(options) : createTarWriter(options);
  for (const entry of entries) {
    const content =
      entry.content === undefined
        ? { kind: 'none' as const }
        : { kind: 'bytes' as const, bytes: Buffer.from(entry.content) };
    await writer.add(headerOf(entry), content);
  }
  const { bodyHash } = await writer.endBody();
  const honest = lines.join('');
  const text = Buffer.from(sums?.(honest) ?? honest);
  const told =
    manifest?.(honestManifest(entries, text.toString(), bodyHash)) ??
    honestManifest(entries, text.toString(), bodyHash);
  await writer.finish({
    sums: async function* () {
      yield text;
    },
    sumsBytes: text.length,
    manifest: Buffer.from(typeof told === 'string' ? told : JSON.stringify(told)),
    mtime: 0n,
    comment: '',
  });
  await pool.close();
  const file = join(folder, `crafted.${container}`);
  writeFileSync(file, Buffer.concat(pieces));
  return file;
}
