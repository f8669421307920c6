import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { openArchive, type OpenOptions } from '../../src/archive/open-archive.js';
import { ManifestTooFar, type ArchiveReader } from '../../src/archive/archive.js';
import type { ByteSource } from '../../src/base/byte-source.js';
import { ArchiveDamage } from '../../src/base/damage.js';
import { CompressPool } from '../../src/compress/pool.js';
import { buildZip } from '../helpers/zip-builder.js';
import { file, MemorySource, noise, write } from './tar/archives.js';
import { rawEntry, tarGz } from './tar/raw-tar.js';
import { writeZip } from './zip/archives.js';

const pool = new CompressPool(1);
afterAll(() => pool.close());

class Named implements ByteSource {
  readonly name: string;
  readonly #bytes: MemorySource;
  closed = 0;

  constructor(name: string, bytes: Buffer) {
    this.name = name;
    this.#bytes = new MemorySource(bytes);
  }

  get size(): number {
    return this.#bytes.size;
  }

  read(position: number, length: number): Promise<Buffer> {
    return this.#bytes.read(position, length);
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}

const open = (bytes: Buffer, name = 'x', options: OpenOptions = {}): Promise<ArchiveReader> =>
  openArchive(new Named(name, bytes), pool, options);

describe('openArchive', () => {
  it('goes by the first bytes, whatever the name says', async () => {
    const samples = [file('uploads/a', 'a')];
    const zip = (await writeZip(pool, samples)).archive;
    const tar = (await write(pool, samples)).archive;
    for (const name of ['a.zip', 'a.tar.gz', 'a.tgz', 'a', 'a.exe']) {
      expect((await open(zip, name)).container).toBe('zip');
      expect((await open(tar, name)).container).toBe('tar.gz');
    }
    expect((await open(buildZip([]), 'empty.tar.gz')).container).toBe('zip');
    expect((await open(gzipSync('anything'), 'plain.zip')).container).toBe('tar.gz');
  });

  const refused: Readonly<Record<string, readonly [Buffer, string]>> = {
    'an empty file': [Buffer.alloc(0), 'truncated'],
    'a byte': [Buffer.from('P'), 'structure-invalid'],
    'the first bytes of a zip alone': [Buffer.from('PK'), 'structure-invalid'],
    'three bytes of a zip': [Buffer.from('PK\x03'), 'structure-invalid'],
    'the beginning of a zip': [Buffer.from('PK\x03\x04'), 'truncated'],
    'the first byte of a gzip file alone': [Buffer.from([0x1f]), 'structure-invalid'],
    'the beginning of a gzip file': [Buffer.from([0x1f, 0x8b]), 'truncated'],
    'a plain tar': [rawEntry({ name: 'uploads/a' }, 'a'), 'structure-invalid'],
    'a zip behind something else': [Buffer.concat([Buffer.from('#!/bin/sh\n'), buildZip([])]), 'structure-invalid'],
    'a zip behind spaces': [Buffer.concat([Buffer.from('  '), buildZip([])]), 'structure-invalid'],
    text: [Buffer.from('this is no archive at all'), 'structure-invalid'],
    'a database': [Buffer.from('SQLite format 3\0'.padEnd(4096, '\0')), 'structure-invalid'],
    zeros: [Buffer.alloc(100_000), 'structure-invalid'],
    'bytes without meaning': [noise(100_000), 'structure-invalid'],
  };
  for (const [what, [bytes, id]] of Object.entries(refused)) {
    it(`refuses ${what} as ${id}, and leaves the source open`, async () => {
      const source = new Named('a.zip', bytes);
      const damage = await (async () => {
        const reader = await openArchive(source, pool);
        await reader.readTail();
      })().catch((error: unknown) => error);
      expect(damage).toBeInstanceOf(ArchiveDamage);
      expect(damage).toMatchObject({ id });
      expect(source.closed).toBe(0);
    });
  }

  it('gives a reader that closes the source', async () => {
    for (const bytes of [buildZip([]), (await write(pool, [])).archive]) {
      const source = new Named('a', bytes);
      await (await openArchive(source, pool)).close();
      expect(source.closed).toBe(1);
    }
  });

  it('drops one leading ./ of names in either container, only where it is told to', async () => {
    const zip = buildZip([{ name: './uploads/a', content: 'a' }]);
    const tar = tarGz(rawEntry({ name: './uploads/a' }, 'a'));
    for (const bytes of [zip, tar]) {
      const names: string[] = [];
      const reader = await open(bytes, 'x', { dropDotSlash: true });
      for await (const { header } of reader.decode({ want: () => 'sum' })) names.push(header.path);
      expect(names).toEqual(['uploads/a']);
      const strict = await open(bytes);
      const found: string[] = [];
      try {
        for await (const { header } of strict.decode({ want: () => 'sum' })) found.push(header.path);
        found.push(...strict.oddities.map(({ id }) => id));
      } catch (error) {
        found.push((error as ArchiveDamage).id);
      }
      expect(found).toContain('entry-path-unsafe');
      expect(found).not.toContain('uploads/a');
    }
  });

  it('rejects with what the source rejects with', async () => {
    const failing: ByteSource = {
      name: 'x',
      size: 100,
      read: () => Promise.reject(new Error('cannot be read')),
      close: () => Promise.resolve(),
    };
    await expect(openArchive(failing, pool)).rejects.toThrow('cannot be read');
  });
});

describe('what is read to find what proves an archive', () => {
  /** Ordinary, with the manifest behind 64 MiB of zeros. */
  const ordinary = (): Buffer =>
    tarGz(rawEntry({ name: 'zeros' }, Buffer.alloc(64 << 20)), rawEntry({ name: 'manifest.json' }, '{}'));

  it('ends with the signal, wherever the reader is', async () => {
    const zip = (await writeZip(pool, [file('uploads/a', 'a')])).archive;
    for (const bytes of [ordinary(), zip]) {
      for (const read of ['readManifest', 'readTail', 'proveBytes'] as const) {
        const controller = new AbortController();
        const reader = await open(bytes, 'x', { signal: controller.signal });
        controller.abort(new Error('the signal'));
        await expect(reader[read]()).rejects.toThrow('the signal');
      }
    }
  });

  it('is not more than the limit', async () => {
    const bytes = ordinary();
    await expect((await open(bytes, 'x', { searchLimit: 1 << 20 })).readManifest()).rejects.toThrow(ManifestTooFar);
    const found = await (await open(bytes, 'x', { searchLimit: 65 << 20 })).readManifest();
    expect(found?.toString()).toBe('{}');
    // Who proves the archive reads it whole.
    expect((await (await open(bytes, 'x', { searchLimit: 1 })).readTail()).manifest?.toString()).toBe('{}');
    const own = (await write(pool, [file('uploads/a', noise(1 << 20))])).archive;
    expect(await (await open(own, 'x', { searchLimit: 1 })).readManifest()).toBeDefined();
  });
});
