import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ArchiveTail, ArchiveWriter, EntrySum } from '../../../src/archive/archive.js';
import { createZipWriter } from '../../../src/archive/zip/writer.js';
import type { ByteSink } from '../../../src/base/byte-source.js';
import { blockSize } from '../../../src/base/limits.js';
import { CompressPool } from '../../../src/compress/pool.js';
import { body, file, folder, inChunks, link, manifest, MemorySink, noise, sha256 } from '../tar/archives.js';
import { openBytes, readZip, writeZip } from './archives.js';

const pool = new CompressPool(2);
afterAll(() => pool.close());

const tail: ArchiveTail = {
  sums: () => inChunks(Buffer.from('sums\n')),
  sumsBytes: 5,
  manifest,
  mtime: 0n,
  comment: '',
};
const large = file('uploads/large', noise(3 * blockSize));

const newWriter = (sink: ByteSink, onSum: (sum: EntrySum) => void = () => undefined): ArchiveWriter =>
  createZipWriter({ sink, pool, level: 1, onSum, scratch: tmpdir() });

async function* failingAfter(bytes: Buffer, error: Error): AsyncGenerator<Buffer> {
  yield* inChunks(bytes);
  throw error;
}

describe('createZipWriter', () => {
  it('takes a large file back whose reading fails, at any place, and goes on as if it had never been', async () => {
    const expected = await writeZip(pool, [file('a', 'before'), large, file('z', 'after')], { level: 1 });
    for (const bytes of [0, 1, 1000, blockSize, blockSize + 1, 3 * blockSize - 1]) {
      const sink = new MemorySink();
      const sums: EntrySum[] = [];
      const writer = newWriter(sink, (sum) => sums.push(sum));
      const [before, after] = [file('a', 'before'), file('z', 'after')];
      await writer.add(before.header, { kind: 'bytes', bytes: before.bytes });
      const error = new Error('cannot be read any more');
      const read = (): AsyncIterable<Buffer> => failingAfter(large.bytes.subarray(0, bytes), error);
      const failing = file('uploads/failing', large.bytes);
      await expect(writer.add(failing.header, { kind: 'blocks', read })).rejects.toBe(error);
      await writer.add(large.header, { kind: 'blocks', read: () => inChunks(large.bytes) });
      await writer.add(after.header, { kind: 'bytes', bytes: after.bytes });
      const { bodyHash } = await writer.endBody();
      const proof = await writer.finish(tail);
      expect(bodyHash).toBe(expected.bodyHash);
      expect(sums).toEqual(expected.sums);
      expect(proof.sha256).toBe(sha256(sink.bytes()));
      const found = await readZip(pool, sink.bytes());
      expect(found).toMatchObject({ thrown: undefined, oddities: [], damaged: [] });
      expect(body(found.samples).map(({ header }) => header.path)).toEqual(['a', 'uploads/large', 'z']);
    }
  });

  it('takes a large file back that is not as long as it said', async () => {
    for (const size of [large.bytes.length - 1, large.bytes.length + 1]) {
      const sink = new MemorySink();
      const writer = newWriter(sink);
      const content = { kind: 'blocks', read: () => inChunks(large.bytes) } as const;
      await expect(writer.add({ ...large.header, size }, content)).rejects.toMatchObject({ id: 'size-mismatch' });
      await writer.finish(tail);
      const found = await readZip(pool, sink.bytes());
      expect(found).toMatchObject({ thrown: undefined, oddities: [], damaged: [] });
      expect(body(found.samples)).toEqual([]);
    }
  });

  it('rejects every call with the first failure where nothing can be taken back', async () => {
    const writer = newWriter(new MemorySink(false));
    const error = new Error('cannot be read any more');
    const read = (): AsyncIterable<Buffer> => failingAfter(large.bytes.subarray(0, 5), error);
    await expect(writer.add(large.header, { kind: 'blocks', read })).rejects.toBe(error);
    const { header, bytes } = file('a', 'a');
    await expect(writer.add(header, { kind: 'bytes', bytes })).rejects.toBe(error);
    await expect(writer.endBody()).rejects.toBe(error);
    await expect(writer.finish(tail)).rejects.toBe(error);
    await writer.abort();
  });

  it('writes large files to a sink that cannot take back too', async () => {
    const sink = new MemorySink(false);
    const writer = newWriter(sink);
    await writer.add(large.header, { kind: 'blocks', read: () => inChunks(large.bytes) });
    const proof = await writer.finish(tail);
    expect(proof.sha256).toBe(sha256(sink.bytes()));
    expect((await readZip(pool, sink.bytes())).samples[0]?.bytes.equals(large.bytes)).toBe(true);
  });

  it('takes content in chunks of any size, down to a byte and up to all of it', async () => {
    const content = noise(2 * blockSize + 5);
    for (const chunk of [7, 4096, blockSize, blockSize + 1, 5 * blockSize]) {
      const sink = new MemorySink();
      const writer = newWriter(sink);
      const header = file('uploads/a', content).header;
      await writer.add(header, { kind: 'blocks', read: () => inChunks(content, chunk) });
      await writer.finish(tail);
      expect((await readZip(pool, sink.bytes())).samples[0]?.bytes.equals(content)).toBe(true);
    }
  });

  it('takes a file of any size as a large one, down to nothing', async () => {
    for (const size of [0, 1, 100, blockSize - 1, blockSize]) {
      const content = noise(size);
      const sink = new MemorySink();
      const sums: EntrySum[] = [];
      const writer = newWriter(sink, (sum) => sums.push(sum));
      await writer.add(file('uploads/a', content).header, { kind: 'blocks', read: () => inChunks(content, 1000) });
      await writer.finish(tail);
      const found = await readZip(pool, sink.bytes());
      expect([size, found.damaged, found.thrown]).toEqual([size, [], undefined]);
      expect(found.samples[0]?.bytes.equals(content)).toBe(true);
      expect(sums).toEqual([{ path: 'uploads/a', bytes: size, sha256: sha256(content) }]);
    }
  });

  it('rejects with the failure of the n-th write, for every n, and with it from then on', async () => {
    const samples = [file('a', noise(900_000)), large, file('b', noise(900_000, 7)), file('c', 'c')];
    let failed = 0;
    for (let n = 0; ; n++) {
      const sink = new MemorySink();
      const error = new Error(`write ${n}`);
      let writes = 0;
      const writer = newWriter({
        write: (bytes) => (writes++ === n ? Promise.reject(error) : sink.write(bytes)),
        truncate: (size) => sink.truncate!(size),
      });
      const work = async (): Promise<void> => {
        for (const { header, bytes } of samples) {
          if (bytes.length <= blockSize) await writer.add(header, { kind: 'bytes', bytes: Buffer.from(bytes) });
          else await writer.add(header, { kind: 'blocks', read: () => inChunks(bytes) });
        }
        await writer.finish(tail);
      };
      const outcome = await work().catch((reason: unknown) => reason);
      if (outcome === undefined) break;
      expect(outcome).toBe(error);
      await writer.abort();
      failed += 1;
    }
    expect(failed).toBeGreaterThan(3);
  });

  it('rejects with what taking back failed with', async () => {
    const sink = new MemorySink();
    const error = new Error('cannot truncate');
    const writer = newWriter({ write: (bytes) => sink.write(bytes), truncate: () => Promise.reject(error) });
    const read = (): AsyncIterable<Buffer> => failingAfter(large.bytes, new Error('cannot be read'));
    await expect(writer.add(large.header, { kind: 'blocks', read })).rejects.toBe(error);
    await writer.abort();
  });

  it('tells sums of regular files alone, in the order of the archive, before the body ends', async () => {
    const sums: string[] = [];
    const writer = newWriter(new MemorySink(), ({ path }) => sums.push(path));
    const order = [folder('d'), file('d/1', 'x'), large, link('d/2', 'x'), file('d/3', '')];
    for (const { header, bytes } of order) {
      if (header.kind !== 'file') await writer.add(header, { kind: 'none' });
      else if (bytes.length > blockSize) await writer.add(header, { kind: 'blocks', read: () => inChunks(bytes) });
      else await writer.add(header, { kind: 'bytes', bytes });
    }
    await writer.endBody();
    expect(sums).toEqual(['d/1', 'uploads/large', 'd/3']);
    await writer.finish(tail);
    expect(sums).toHaveLength(3);
  });

  it('refuses content that is not as long as its header says', async () => {
    const writer = newWriter(new MemorySink());
    const { header } = file('a', 'abc');
    await expect(writer.add(header, { kind: 'bytes', bytes: Buffer.from('ab') })).rejects.toBeInstanceOf(RangeError);
    await writer.abort();
  });

  it('refuses to write what no reader would accept', async () => {
    const refused = [
      { ...folder('a').header, kind: 'link', target: '' },
      { ...folder('a').header, kind: 'link', target: 'a\0b' },
      { ...folder('a').header, kind: 'link', target: 'x'.repeat(4097) },
      { ...folder('a').header, kind: 'link', target: 'a\ud800' },
    ] as const;
    for (const header of refused) {
      const writer = newWriter(new MemorySink());
      await expect(writer.add(header, { kind: 'none' })).rejects.toBeInstanceOf(RangeError);
      await writer.abort();
    }
  });

  it('keeps central records beyond 8 MiB in a file without a name, and needs it no more at the end', async () => {
    const scratch = await mkdtemp(join(tmpdir(), 'bkp-zip-'));
    try {
      const sink = new MemorySink();
      const writer = createZipWriter({ sink, pool, level: 1, onSum: () => undefined, scratch });
      const many = Array.from({ length: 26_000 }, (_, index) => folder(`uploads/${'n'.repeat(240)}${index}`));
      for (const { header } of many) await writer.add(header, { kind: 'none' });
      const { bodyHash } = await writer.endBody();
      expect(await readdir(scratch)).toEqual([]);
      await writer.finish(tail);
      const reader = await openBytes(pool, sink.bytes());
      expect((await reader.proveBytes()).bodyHash).toBe(bodyHash);
      expect((await readZip(pool, sink.bytes())).samples).toHaveLength(many.length + 2);
    } finally {
      await rm(scratch, { recursive: true });
    }
  });

  it('says where it could not keep them', async () => {
    const scratch = join(tmpdir(), 'bkp-no-such-folder');
    const writer = createZipWriter({ sink: new MemorySink(), pool, level: 1, onSum: () => undefined, scratch });
    const work = async (): Promise<void> => {
      for (let index = 0; index < 30_000; index++) {
        await writer.add(folder(`uploads/${'n'.repeat(240)}${index}`).header, { kind: 'none' });
      }
      await writer.endBody();
    };
    await expect(work()).rejects.toMatchObject({ id: 'io-failed', path: scratch });
    await writer.abort();
  });

  it('can be given up in the middle, and twice', async () => {
    const writer = newWriter(new MemorySink());
    await writer.add(large.header, { kind: 'blocks', read: () => inChunks(large.bytes) });
    await writer.abort();
    await writer.abort();
    await expect(writer.endBody()).rejects.toThrow('given up');
  });
});
