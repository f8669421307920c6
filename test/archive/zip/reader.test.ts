import { setTimeout as later } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { openZipReader } from '../../../src/archive/zip/reader.js';
import type { ByteSource } from '../../../src/base/byte-source.js';
import { BkpError } from '../../../src/base/errors.js';
import { blockSize } from '../../../src/base/limits.js';
import { CompressPool } from '../../../src/compress/pool.js';
import { buildZip, type RawEntry } from '../../helpers/zip-builder.js';
import { collect, file, folder, link, manifest, MemorySource, noise, sha256, textOf } from '../tar/archives.js';
import { openBytes, readZip, writeZip } from './archives.js';

const pool = new CompressPool(2);
afterAll(() => pool.close());

const samples = [
  folder('uploads'),
  file('uploads/a', 'content of a'),
  file('uploads/large', noise(2 * blockSize + 77)),
  link('uploads/b', 'a'),
  file('uploads/c', 'content of c'),
];

/** A source that fails from the n-th read on. */
function failingAt(bytes: Buffer, n: number, error: Error): ByteSource {
  const source = new MemorySource(bytes);
  return {
    name: 'failing.zip',
    size: bytes.length,
    read: (position, length) => (source.reads >= n ? Promise.reject(error) : source.read(position, length)),
    close: () => source.close(),
  };
}

describe('openZipReader', () => {
  it('reads the manifest of an archive with many entries by two reads, without its directory', async () => {
    const many = Array.from({ length: 3000 }, (_, index) => file(`uploads/${'n'.repeat(100)}${index}`, 'x'));
    const { archive } = await writeZip(pool, many, { comment: '{"id":"x"}' });
    const source = new MemorySource(archive);
    const reader = await openZipReader(source, pool);
    expect(source.reads).toBe(1);
    expect(await reader.readManifest()).toEqual(manifest);
    expect(await reader.isEncrypted()).toBe(false);
    expect(source.reads).toBe(2);
    expect(reader.comment).toBe('{"id":"x"}');
    expect(reader.bytes).toBe(archive.length);
  });

  it('finds both proving files wherever they are', async () => {
    const proof = [
      { name: 'manifest.json', content: '{}' },
      { name: 'SHA256SUMS', content: 'sums' },
    ];
    const other = { name: 'uploads/a', content: 'a' };
    for (const entries of [
      [...proof, other],
      [other, ...proof],
      [proof[1]!, other, proof[0]!],
    ]) {
      const reader = await openBytes(pool, buildZip(entries));
      expect(await reader.readManifest()).toEqual(Buffer.from('{}'));
      const tail = await reader.readTail();
      expect([tail.manifest?.toString(), await textOf(tail.sums)]).toEqual(['{}', 'sums']);
    }
  });

  it('knows no proving files where there are none, nor where they are no files', async () => {
    for (const entries of [
      [{ name: 'uploads/manifest.json', content: '{}' }],
      [
        { name: 'SHA256SUMS/', content: '' },
        { name: 'manifest.json', mode: 0o120777, content: 'x' },
      ],
    ]) {
      const reader = await openBytes(pool, buildZip(entries));
      expect(await reader.readTail()).toEqual({ sums: undefined, manifest: undefined });
    }
  });

  it('does not read a manifest that says it is larger than any', async () => {
    const size = 65 * blockSize;
    const lying = { name: 'manifest.json', content: '{}', method: 8, local: { size }, central: { size } };
    const reader = await openBytes(pool, buildZip([lying]));
    await expect(reader.readManifest()).rejects.toMatchObject({ id: 'manifest-invalid', path: 'manifest.json' });
    await expect(reader.readTail()).rejects.toMatchObject({ id: 'manifest-invalid', path: 'manifest.json' });
  });

  it('says what is wrong with a manifest that cannot be decoded', async () => {
    const broken = { name: 'manifest.json', content: '{}', local: { crc: 1 }, central: { crc: 1 } };
    const reader = await openBytes(pool, buildZip([{ name: 'a', content: 'a' }, broken]));
    await expect(reader.readManifest()).rejects.toMatchObject({ id: 'crc-mismatch', path: 'manifest.json' });
    const encrypted = await openBytes(pool, buildZip([{ name: 'manifest.json', content: '{}', flags: 0x0801 }]));
    expect(await encrypted.isEncrypted()).toBe(true);
    await expect(encrypted.readManifest()).rejects.toMatchObject({ id: 'content-undecodable' });
  });

  it('does not take for the last entry what only looks like one within it', async () => {
    const inner = buildZip([{ name: 'manifest.json', content: 'fake!' }]);
    const fake = inner.subarray(inner.indexOf('PK\x01\x02'), inner.indexOf('PK\x05\x06'));
    const entries: readonly RawEntry[] = [
      { name: 'manifest.json', content: 'right' },
      { name: 'z', content: 'z', central: { comment: Buffer.concat([fake, Buffer.alloc(1)]) } },
    ];
    const reader = await openBytes(pool, buildZip(entries));
    expect((await reader.readManifest())?.toString()).toBe('right');
  });

  it('knows the body only of an archive that is laid out as ours', async () => {
    const a = { name: 'a', content: 'a' };
    const [sums, proof] = [{ name: 'SHA256SUMS' }, { name: 'manifest.json' }];
    const hash = async (...entries: readonly RawEntry[]): Promise<string | undefined> =>
      (await (await openBytes(pool, buildZip(entries))).proveBytes()).bodyHash;
    expect(await hash(a, sums, proof)).toMatch(/^sha256:/);
    expect(await hash(sums, proof)).toBe(`sha256:${sha256(Buffer.alloc(0))}`);
    for (const entries of [[a], [a, proof, sums], [sums, a, proof], [a, sums], []]) {
      expect(await hash(...entries)).toBeUndefined();
    }
  });

  it('tells all bytes it read while proving, and stops at once when it is told to', async () => {
    const { archive, proof, bodyHash } = await writeZip(pool, samples);
    const reader = await openBytes(pool, archive);
    let advanced = 0;
    expect(await reader.proveBytes((bytes) => (advanced += bytes))).toEqual({ sha256: proof.sha256, bodyHash });
    expect(advanced).toBe(archive.length);
    const stopped = AbortSignal.abort(new Error('enough'));
    await expect(reader.proveBytes(undefined, stopped)).rejects.toThrow('enough');
  });
});

describe('decode', () => {
  it('gives sums alone, or nothing, as is wanted', async () => {
    const { archive, sums } = await writeZip(pool, samples);
    const reader = await openBytes(pool, archive);
    const found: unknown[] = [];
    for await (const { header, content } of reader.decode({ want: () => 'sum' })) {
      if (content.kind === 'sum') found.push({ path: header.path, bytes: header.size, sha256: content.sha256 });
    }
    expect(found.slice(0, -2)).toEqual(sums);
    for await (const { header, content } of reader.decode({ want: () => 'nothing' })) {
      expect(content.kind).toBe('none');
      if (header.kind === 'link') expect(header.target).toBe('a');
    }
  });

  it('asks what is wanted once for each file, in the order of the archive', async () => {
    const { archive } = await writeZip(pool, samples);
    const asked: string[] = [];
    const want = ({ path }: { path: string }): 'content' => {
      asked.push(path);
      return 'content';
    };
    await readZip(pool, archive, { want });
    expect(asked).toEqual(['uploads/a', 'uploads/large', 'uploads/c', 'SHA256SUMS', 'manifest.json']);
  });

  it('gives the sum of a small file with its content', async () => {
    const { archive, sums } = await writeZip(pool, samples);
    for await (const { header, content } of (await openBytes(pool, archive)).decode({ want: () => 'content' })) {
      if (content.kind === 'bytes' && header.path === sums[0]?.path) {
        expect(content.sha256).toBe(sums[0].sha256);
        expect(sha256(content.bytes)).toBe(content.sha256);
      }
    }
  });

  it('passes over a large file that nobody reads', async () => {
    const { archive } = await writeZip(pool, samples);
    const paths: string[] = [];
    for await (const { header } of (await openBytes(pool, archive)).decode({ want: () => 'content' })) {
      paths.push(header.path);
    }
    expect(paths).toEqual([...samples.map(({ header }) => header.path), 'SHA256SUMS', 'manifest.json']);
  });

  it('stops at once when it is told to', async () => {
    const { archive } = await writeZip(pool, samples);
    const controller = new AbortController();
    const read = async (): Promise<void> => {
      const reader = await openBytes(pool, archive);
      for await (const { header } of reader.decode({ want: () => 'sum', signal: controller.signal })) {
        expect(header.path).not.toBe('manifest.json');
        controller.abort(new Error('enough'));
      }
    };
    await expect(read()).rejects.toThrow('enough');
  });

  it('can be left in the middle and read again', async () => {
    const { archive } = await writeZip(pool, samples);
    const reader = await openBytes(pool, archive);
    for await (const { header } of reader.decode({ want: () => 'content' })) if (header.kind === 'file') break;
    const paths: string[] = [];
    for await (const { header } of reader.decode({ want: () => 'sum' })) paths.push(header.path);
    expect(paths).toHaveLength(samples.length + 2);
    expect(reader.oddities).toEqual([]);
  });

  it('leaves no failure unheard when it is left in the middle and the pool is closed', async () => {
    const unheard: unknown[] = [];
    const hear = (reason: unknown): void => void unheard.push(reason);
    process.on('unhandledRejection', hear);
    try {
      const own = new CompressPool(2);
      const many = Array.from({ length: 40 }, (_, index) => file(`uploads/${index}`, noise(500_000, index + 1)));
      const { archive } = await writeZip(own, [...many, file('uploads/large', noise(9 * blockSize))], { level: 1 });
      for (const leaveAt of ['uploads/0', 'uploads/large']) {
        const reading = new CompressPool(2);
        const reader = await openBytes(reading, archive);
        for await (const { header, content } of reader.decode({ want: () => 'content' })) {
          if (header.path !== leaveAt) continue;
          if (content.kind === 'chunks') for await (const chunk of content.chunks) if (chunk.length > 0) break;
          break;
        }
        await reading.close();
      }
      const damaged = Buffer.from(archive);
      damaged.fill(0, 15_000_000, 15_000_100);
      const reading = new CompressPool(2);
      await readZip(reading, damaged, { want: () => 'sum' });
      await reading.close();
      await own.close();
      await later(50);
    } finally {
      process.off('unhandledRejection', hear);
    }
    expect(unheard).toEqual([]);
  });

  it('rejects with what reading the file throws, at the n-th read, for every n, and never calls it damage', async () => {
    const plain = { name: 'uploads/plain', content: Buffer.alloc(3 * blockSize, 'text'), method: 8 };
    const ours = (await writeZip(pool, samples)).archive;
    for (const archive of [ours, buildZip([plain, { name: 'uploads/z', content: 'z' }])]) {
      let failed = 0;
      for (let n = 0; ; n++) {
        const error = new BkpError('io-failed', `read ${n}`);
        const work = async (): Promise<void> => {
          const reader = await openZipReader(failingAt(archive, n, error), pool);
          for await (const { content } of reader.decode({ want: ({ size }) => (size % 2 ? 'sum' : 'content') })) {
            if (content.kind === 'chunks') await collect(content.chunks);
            expect(content.kind).not.toBe('damaged');
          }
        };
        const outcome = await work().catch((reason: unknown) => reason);
        if (outcome === undefined) break;
        expect(outcome).toBe(error);
        failed += 1;
      }
      expect(failed).toBeGreaterThan(3);
    }
  });

  it('keeps little in memory where few small files are wanted between many large ones', async () => {
    // A file of 4 GiB that is nearly all holes: small entries at the beginning of each piece of 4 MiB.
    const count = 1000;
    const step = 4 * blockSize;
    const entries = Array.from({ length: count }, (_, index): RawEntry => ({ name: `uploads/${index}`, content: 'x' }));
    const dense = buildZip(entries);
    const records = Array.from({ length: count }, (_, index) => index * step);
    const starts: number[] = [];
    for (let at = 0; starts.length < count; at = dense.indexOf('PK\x03\x04', at + 1)) starts.push(at);
    const directory = dense.indexOf('PK\x01\x02');
    const central = Buffer.from(dense.subarray(directory));
    let at = 0;
    for (const offset of records) {
      at = central.indexOf('PK\x01\x02', at);
      central.writeUInt32LE(offset, at + 42);
      at += 46;
    }
    const end = central.indexOf('PK\x05\x06');
    const directoryStart = (count - 1) * step + 1024;
    central.writeUInt32LE(directoryStart, end + 16);
    const source: ByteSource = {
      name: 'holes.zip',
      size: directoryStart + central.length,
      read: async (position, length) => {
        const bytes = Buffer.alloc(length);
        const first = Math.max(0, Math.floor(position / step));
        for (let index = first; index < count && index * step < position + length; index++) {
          const record = dense.subarray(starts[index], starts[index + 1] ?? directory);
          const from = index * step - position;
          if (from >= 0) record.copy(bytes, from);
          else record.copy(bytes, 0, Math.min(-from, record.length));
        }
        if (position + length > directoryStart) {
          const from = directoryStart - position;
          central.copy(bytes, Math.max(0, from), Math.max(0, -from));
        }
        return bytes;
      },
      close: () => Promise.resolve(),
    };
    const before = process.memoryUsage().arrayBuffers;
    let peak = 0;
    const reader = await openZipReader(source, pool);
    let found = 0;
    const want = (): 'content' => {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers);
      return 'content';
    };
    for await (const { content } of reader.decode({ want })) {
      expect(content).toMatchObject({ kind: 'bytes', bytes: Buffer.from('x') });
      found += 1;
    }
    expect(found).toBe(count);
    expect(peak - before).toBeLessThan(300 * blockSize);
  });
});
