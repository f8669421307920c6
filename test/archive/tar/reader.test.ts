import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeTrailer, parseTrailer, trailerBytes } from '../../../src/archive/tar/trailer.js';
import { looksLikeGzip } from '../../../src/archive/tar/gzip-magic.js';
import { openTarReader } from '../../../src/archive/tar/reader.js';
import type { EntryHeader } from '../../../src/archive/archive.js';
import { ArchiveDamage } from '../../../src/base/damage.js';
import { blockSize } from '../../../src/base/limits.js';
import { CompressPool } from '../../../src/compress/pool.js';
import {
  body,
  collect,
  file,
  folder,
  link,
  manifest,
  MemorySource,
  noise,
  readAll,
  sha256,
  textOf,
  write,
} from './archives.js';
import { rawEntry, tarGz } from './raw-tar.js';

const pool = new CompressPool(2);
afterAll(() => pool.close());

const samples = [
  folder('uploads'),
  file('uploads/a', 'content of a'),
  file('uploads/large', noise(2 * blockSize + 77)),
  link('uploads/b', 'a'),
  file('uploads/c', 'content of c'),
];

describe('openTarReader', () => {
  it('reads the manifest of a large archive by two reads', async () => {
    const { archive } = await write(pool, samples);
    const source = new MemorySource(archive);
    const reader = await openTarReader(source, pool);
    const opened = source.reads;
    expect(await reader.readManifest()).toEqual(manifest);
    expect(source.reads - opened).toBe(1);
    expect(opened).toBe(2);
  });

  it('reads both proving files from the end', async () => {
    const { archive, sums } = await write(pool, samples);
    const reader = await openTarReader(new MemorySource(archive), pool);
    const tail = await reader.readTail();
    expect(tail.manifest).toEqual(manifest);
    expect(await textOf(tail.sums)).toBe(sums.map((sum) => `${sum.sha256}  ${sum.path}\n`).join(''));
    expect(reader.oddities).toEqual([]);
  });

  it('finds both proving files in an archive repacked by another tool', async () => {
    const { archive, sums } = await write(pool, samples);
    const reader = await openTarReader(new MemorySource(gzipSync(gunzipSync(archive))), pool);
    expect(await reader.readManifest()).toEqual(manifest);
    const tail = await reader.readTail();
    expect(tail.manifest).toEqual(manifest);
    expect(await textOf(tail.sums)).toContain(sums[0]!.sha256);
  });

  it('knows no proving files where there are none', async () => {
    const reader = await openTarReader(new MemorySource(tarGz(rawEntry({ name: 'x' }, 'y'))), pool);
    expect(await reader.readManifest()).toBeUndefined();
    expect(await reader.readTail()).toEqual({ sums: undefined, manifest: undefined });
  });

  it('refuses two manifests where it has to look for one', async () => {
    const twice = tarGz(rawEntry({ name: 'manifest.json' }, '{}'), rawEntry({ name: 'manifest.json' }, '[]'));
    const reader = await openTarReader(new MemorySource(twice), pool);
    await expect(reader.readManifest()).rejects.toMatchObject({ id: 'entry-duplicate', path: 'manifest.json' });
  });

  it('proves the bytes of the whole and of the body as the writer told them', async () => {
    const { archive, proof, bodyHash } = await write(pool, samples);
    const reader = await openTarReader(new MemorySource(archive), pool);
    let advanced = 0;
    expect(await reader.proveBytes((bytes) => (advanced += bytes))).toEqual({ sha256: proof.sha256, bodyHash });
    expect(advanced).toBe(archive.length);
    const { sumsAt } = parseTrailer(archive.subarray(-trailerBytes))!;
    expect(bodyHash).toBe(`sha256:${sha256(archive.subarray(0, sumsAt))}`);
  });

  it('knows no body of an archive that is not laid out as ours', async () => {
    const archive = tarGz(rawEntry({ name: 'x' }, 'y'));
    const reader = await openTarReader(new MemorySource(archive), pool);
    expect(await reader.proveBytes()).toEqual({ sha256: sha256(archive), bodyHash: undefined });
  });

  it('gives sums alone, or nothing, as is wanted', async () => {
    const { archive, sums } = await write(pool, samples);
    const reader = await openTarReader(new MemorySource(archive), pool);
    const found: unknown[] = [];
    for await (const { header, content } of reader.decode({ want: () => 'sum' })) {
      if (content.kind === 'sum') found.push({ path: header.path, bytes: header.size, sha256: content.sha256 });
    }
    expect(found.slice(0, -2)).toEqual(sums);
    for await (const { content } of reader.decode({ want: () => 'nothing' })) expect(content.kind).toBe('none');
  });

  it('decodes nothing of what it is to pass by, and all around it', async () => {
    const content = noise(2 * blockSize + 700);
    const around = [file('a', 'before'), file('b', content), file('c', content), file('d', 'after')];
    const { archive, sums } = await write(pool, around, 6, true);
    const { offset, blocks } = sums[1]!.place!;
    const passBy = new Map([[offset, { sizes: blocks!.sizes, size: content.length }]]);
    const found = async (bytes: Buffer, passed: boolean): Promise<readonly unknown[]> => {
      const reader = await openTarReader(new MemorySource(bytes), pool);
      const want = ({ path }: EntryHeader) => (path === ('b' as string) && passed ? 'nothing' : 'sum');
      const entries: unknown[] = [];
      for await (const { header, content: one } of reader.decode({ want, ...(passed ? { passBy } : {}) })) {
        entries.push([header.path, one.kind === 'sum' ? one.sha256 : one.kind]);
      }
      expect(reader.oddities).toEqual([]);
      return entries.slice(0, 4);
    };
    const told = sums.map(({ path, sha256: sum }) => [path, path === ('b' as string) ? 'none' : sum]);
    expect(await found(archive, true)).toEqual(told);
    const damaged = Buffer.from(archive);
    damaged[offset + 1000] = (damaged[offset + 1000] ?? 0) ^ 1;
    expect(await found(damaged, true)).toEqual(told);
    await expect(found(damaged, false)).rejects.toMatchObject({ id: 'content-undecodable' });
    // Nor does it reach beyond the end.
    const cut = archive.subarray(0, offset + 1000);
    await expect(found(cut, true)).rejects.toMatchObject({ id: 'truncated' });
  });

  it('gives zeros, and never what was there, of what it passed by although it was wanted', async () => {
    const content = noise(2 * blockSize + 700);
    const { archive, sums } = await write(pool, [file('b', content)], 6, true);
    const { offset, blocks } = sums[0]!.place!;
    const passBy = new Map([[offset, { sizes: blocks!.sizes, size: content.length }]]);
    const reader = await openTarReader(new MemorySource(archive), pool);
    for await (const { content: one } of reader.decode({ want: () => 'sum', passBy })) {
      expect(one).toEqual({ kind: 'sum', sha256: sha256(Buffer.alloc(content.length)) });
      break;
    }
  });

  it('passes over a large file that nobody reads, and refuses to read it afterwards', async () => {
    const { archive } = await write(pool, samples);
    const reader = await openTarReader(new MemorySource(archive), pool);
    const paths: string[] = [];
    let late: AsyncIterable<Buffer> | undefined;
    for await (const { header, content } of reader.decode({ want: () => 'content' })) {
      paths.push(header.path);
      if (content.kind === 'chunks') late = content.chunks;
    }
    expect(paths).toEqual([...samples.map(({ header }) => header.path), 'SHA256SUMS', 'manifest.json']);
    await expect(collect(late!)).rejects.toThrow('passed over');
  });

  it('stops at once when it is told to', async () => {
    const { archive } = await write(pool, samples);
    const reader = await openTarReader(new MemorySource(archive), pool);
    const controller = new AbortController();
    const read = async (): Promise<void> => {
      for await (const { header } of reader.decode({ want: () => 'sum', signal: controller.signal })) {
        expect(header.path).not.toBe('manifest.json');
        controller.abort(new Error('enough'));
      }
    };
    await expect(read()).rejects.toThrow('enough');
    await expect(reader.proveBytes(undefined, controller.signal)).rejects.toThrow('enough');
  });

  it('can be left in the middle and read again', async () => {
    const { archive } = await write(pool, samples);
    const reader = await openTarReader(new MemorySource(archive), pool);
    for await (const { header } of reader.decode({ want: () => 'content' })) if (header.kind === 'file') break;
    const paths: string[] = [];
    for await (const { header } of reader.decode({ want: () => 'sum' })) paths.push(header.path);
    expect(paths).toHaveLength(samples.length + 2);
    expect(reader.oddities).toEqual([]);
    expect(await reader.isEncrypted()).toBe(false);
  });

  it('drops one leading ./ where that is allowed, and refuses it otherwise', async () => {
    const repacked = tarGz(
      rawEntry({ name: './', type: '5' }),
      rawEntry({ name: './uploads/', type: '5' }),
      rawEntry({ name: './uploads/a' }, 'a'),
    );
    const { samples: found, thrown } = await readAll(pool, repacked, { dropDotSlash: true });
    expect(thrown).toBeUndefined();
    expect(found.map(({ header }) => header.path)).toEqual(['uploads', 'uploads/a']);
    expect((await readAll(pool, repacked)).thrown).toMatchObject({ id: 'entry-path-unsafe', path: './' });
    const twice = tarGz(rawEntry({ name: '././a' }, 'a'));
    expect((await readAll(pool, twice, { dropDotSlash: true })).thrown?.id).toBe('entry-path-unsafe');
  });

  it('notices offsets at the end that point into the content of a file', async () => {
    const { archive } = await write(pool, [file('uploads/large', noise(3 * blockSize)), file('uploads/a', 'x')]);
    const { manifestAt } = parseTrailer(archive.subarray(-trailerBytes))!;
    // The second member lies within the large file.
    const sumsAt = archive.readUInt32LE(16);
    const forged = Buffer.concat([archive.subarray(0, -trailerBytes), encodeTrailer({ sumsAt, manifestAt })]);
    const read = await readAll(pool, forged);
    expect(read.thrown).toBeUndefined();
    expect(read.oddities[0]).toMatchObject({ id: 'structure-invalid' });
    const reader = await openTarReader(new MemorySource(forged), pool);
    await expect(reader.readTail()).rejects.toBeInstanceOf(ArchiveDamage);
  });

  it('notices offsets at the end that lead nowhere', async () => {
    const { archive } = await write(pool, samples);
    for (const trailer of [
      { sumsAt: 5, manifestAt: 5 },
      { sumsAt: 0, manifestAt: archive.length },
      { sumsAt: 1, manifestAt: 2 },
    ]) {
      const forged = Buffer.concat([archive.subarray(0, -trailerBytes), encodeTrailer(trailer)]);
      const read = await readAll(pool, forged);
      expect(body(read.samples)).toHaveLength(samples.length);
      expect(read.oddities.map(({ id }) => id)).toContain('structure-invalid');
    }
  });

  it('knows a gzip file by its first bytes', () => {
    expect(looksLikeGzip(gzipSync('x'))).toBe(true);
    expect(looksLikeGzip(Buffer.from('PK\x03\x04'))).toBe(false);
    expect(looksLikeGzip(Buffer.alloc(0))).toBe(false);
  });
});
