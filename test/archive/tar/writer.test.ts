import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { createTarWriter } from '../../../src/archive/tar/writer.js';
import { memberSize, parseTrailer, trailerBytes } from '../../../src/archive/tar/trailer.js';
import type { ArchiveTail, EntrySum } from '../../../src/archive/archive.js';
import type { ByteSink } from '../../../src/base/byte-source.js';
import { blockSize } from '../../../src/base/limits.js';
import { CompressPool } from '../../../src/compress/pool.js';
import { body, file, folder, inChunks, manifest, MemorySink, noise, readAll, sha256, write } from './archives.js';

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

async function* failingAfter(bytes: Buffer, error: Error): AsyncGenerator<Buffer> {
  yield* inChunks(bytes);
  throw error;
}

describe('createTarWriter', () => {
  it('writes members that name their sizes, hold at most one block each and lead from the first byte to the last', async () => {
    const small = Array.from({ length: 50 }, (_, i) => file(`uploads/${i}`, noise(40_000, i + 1)));
    const { archive } = await write(pool, [...small, large, file('uploads/z', 'z')]);
    const starts: number[] = [];
    let at = 0;
    while (at < archive.length) {
      starts.push(at);
      const size = memberSize(archive.subarray(at, at + 20))!;
      expect(gunzipSync(archive.subarray(at, at + size)).length).toBeLessThanOrEqual(blockSize);
      at += size;
    }
    expect(at).toBe(archive.length);
    const trailer = parseTrailer(archive.subarray(-trailerBytes))!;
    expect(starts.slice(-3)).toEqual([trailer.sumsAt, trailer.manifestAt, archive.length - trailerBytes]);
  });

  it('writes the same bytes from the same entries', async () => {
    const samples = [file('a', noise(300_000)), large, folder('b')];
    const [first, second] = [await write(pool, samples), await write(pool, samples)];
    expect(first.archive.equals(second.archive)).toBe(true);
  });

  it('takes a large file back whose reading fails, at any place, and goes on as if it had never been', async () => {
    const expected = await write(pool, [file('a', 'before'), large, file('z', 'after')]);
    for (const bytes of [0, 1, 1000, blockSize, blockSize + 1, 3 * blockSize - 1]) {
      const sink = new MemorySink();
      const sums: EntrySum[] = [];
      const writer = createTarWriter({ sink, pool, level: 6, onSum: (sum) => sums.push(sum) });
      const [before, after] = [file('a', 'before'), file('z', 'after')];
      await writer.add(before.header, { kind: 'bytes', bytes: before.bytes });
      const failing = file('uploads/failing', large.bytes);
      const error = new Error('cannot be read any more');
      const read = (): AsyncIterable<Buffer> => failingAfter(large.bytes.subarray(0, bytes), error);
      await expect(writer.add(failing.header, { kind: 'blocks', read })).rejects.toBe(error);
      await writer.add(large.header, { kind: 'blocks', read: () => inChunks(large.bytes) });
      await writer.add(after.header, { kind: 'bytes', bytes: after.bytes });
      const { bodyHash } = await writer.endBody();
      await writer.finish(tail);
      expect(bodyHash).toBe(expected.bodyHash);
      expect(sums).toEqual(expected.sums);
      const found = await readAll(pool, sink.bytes());
      expect(body(found.samples).map(({ header }) => header.path)).toEqual(['a', 'uploads/large', 'z']);
      expect(found).toMatchObject({ thrown: undefined, oddities: [], damaged: [] });
    }
  });

  it('takes a large file back that is not as long as it said', async () => {
    for (const size of [large.bytes.length - 1, large.bytes.length + 1]) {
      const sink = new MemorySink();
      const writer = createTarWriter({ sink, pool, level: 1, onSum: () => undefined });
      const content = { kind: 'blocks', read: () => inChunks(large.bytes) } as const;
      await expect(writer.add({ ...large.header, size }, content)).rejects.toMatchObject({ id: 'size-mismatch' });
      await writer.finish(tail);
      expect(body((await readAll(pool, sink.bytes())).samples)).toEqual([]);
    }
  });

  it('rejects every call with the first failure where nothing can be taken back', async () => {
    const writer = createTarWriter({ sink: new MemorySink(false), pool, level: 1, onSum: () => undefined });
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
    const writer = createTarWriter({ sink, pool, level: 1, onSum: () => undefined });
    await writer.add(large.header, { kind: 'blocks', read: () => inChunks(large.bytes) });
    const proof = await writer.finish(tail);
    expect(proof.sha256).toBe(sha256(sink.bytes()));
    expect((await readAll(pool, sink.bytes())).samples[0]?.bytes.equals(large.bytes)).toBe(true);
  });

  it('rejects with the failure of the n-th write, for every n, and with it from then on', async () => {
    const samples = [file('a', noise(900_000)), large, file('b', noise(900_000, 7)), file('c', 'c')];
    let failed = 0;
    for (let n = 0; ; n++) {
      const sink = new MemorySink();
      const error = new Error(`write ${n}`);
      let writes = 0;
      const failing: ByteSink = {
        write: (bytes) => (writes++ === n ? Promise.reject(error) : sink.write(bytes)),
        truncate: (size) => sink.truncate!(size),
      };
      const writer = createTarWriter({ sink: failing, pool, level: 1, onSum: () => undefined });
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
      await expect(writer.finish(tail)).rejects.toBe(error);
      await writer.abort();
      failed += 1;
    }
    expect(failed).toBeGreaterThan(3);
  });

  it('lets go of everything when given up in the middle', async () => {
    const writer = createTarWriter({ sink: new MemorySink(), pool, level: 1, onSum: () => undefined });
    await writer.add(large.header, { kind: 'blocks', read: () => inChunks(large.bytes) });
    await writer.abort();
    await writer.abort();
    await expect(writer.endBody()).rejects.toThrow('given up');
  });

  it('refuses what no reader would accept', async () => {
    const refused = [
      { header: { ...file('a', 'a').header, uid: -1 }, content: { kind: 'bytes', bytes: Buffer.from('a') } },
      { header: { ...file('a', 'a').header, size: 2 }, content: { kind: 'bytes', bytes: Buffer.from('a') } },
      { header: { ...folder('a').header, kind: 'link', target: '' }, content: { kind: 'none' } },
      { header: { ...folder('a').header, kind: 'link', target: 'a\0b' }, content: { kind: 'none' } },
      { header: { ...folder('a').header, kind: 'link', target: 'x'.repeat(4097) }, content: { kind: 'none' } },
    ] as const;
    for (const { header, content } of refused) {
      const writer = createTarWriter({ sink: new MemorySink(), pool, level: 1, onSum: () => undefined });
      await expect(writer.add(header, content)).rejects.toBeInstanceOf(RangeError);
    }
  });
});
