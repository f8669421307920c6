import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { gzipSync } from 'node:zlib';
import { openTarReader } from '../../../src/archive/tar/reader.js';
import { createTarWriter } from '../../../src/archive/tar/writer.js';
import type { ByteSink, ByteSource } from '../../../src/base/byte-source.js';
import { blockSize } from '../../../src/base/limits.js';
import { CompressPool } from '../../../src/compress/pool.js';
import { file, manifest, noise, readAll } from './archives.js';
import { rawHeader } from './raw-tar.js';

const pool = new CompressPool(2);
afterAll(() => pool.close());

const size = 300 * blockSize;
const { header } = { header: { ...file('uploads/large', '').header, size } };
const tail = {
  sums: async function* () {
    yield* [] as Buffer[];
  },
  sumsBytes: 0,
  manifest,
  mtime: 0n,
  comment: '',
};
const block = noise(blockSize);

async function* blocks(told: (bytes: number) => void = () => undefined): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; at += blockSize) {
    told(blockSize);
    yield Buffer.from(block);
  }
}

describe('300 MiB in one file', () => {
  it('are written and read with a small part of them in memory', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bkp-tar-'));
    const handle = await open(join(folder, 'a.tar.gz'), 'w+');
    try {
      const sink: ByteSink = {
        write: async (bytes) => {
          await handle.write(bytes);
        },
        truncate: (to) => handle.truncate(to),
      };
      const before = process.memoryUsage.rss();
      let peak = before;
      const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 5);
      const writer = createTarWriter({ sink, pool, level: 1, onSum: () => undefined });
      await writer.add(header, { kind: 'blocks', read: () => blocks() });
      const { bytes } = await writer.finish(tail);
      expect(bytes).toBeGreaterThan(size);
      const source: ByteSource = {
        name: 'a.tar.gz',
        size: bytes,
        read: async (position, length) => {
          const buffer = Buffer.allocUnsafeSlow(length);
          await handle.read(buffer, 0, length, position);
          return buffer;
        },
        close: () => Promise.resolve(),
      };
      const reader = await openTarReader(source, pool);
      let read = 0;
      for await (const { content } of reader.decode({ want: () => 'content' })) {
        if (content.kind === 'chunks') for await (const chunk of content.chunks) read += chunk.length;
      }
      clearInterval(watch);
      expect(read).toBe(size);
      expect(peak - before).toBeLessThan(200 * 1024 * 1024);
    } finally {
      await handle.close();
      await rm(folder, { recursive: true });
    }
  });

  it('are read no faster than a slow sink takes them', async () => {
    let read = 0;
    let written = 0;
    let ahead = 0;
    const sink: ByteSink = {
      write: async (bytes) => {
        await new Promise((resolve) => setTimeout(resolve, 3));
        written += bytes.length;
      },
    };
    const writer = createTarWriter({ sink, pool, level: 0, onSum: () => undefined });
    const told = (bytes: number): void => {
      read += bytes;
      ahead = Math.max(ahead, read - written);
    };
    await writer.add(header, { kind: 'blocks', read: () => blocks(told) });
    await writer.abort();
    expect(ahead).toBeLessThan((2 * pool.width + 2 + 4) * blockSize);
  });

  it('are read from an archive no faster than somebody takes them', async () => {
    let position = 0;
    const pieces: Buffer[] = [];
    const sink: ByteSink = {
      write: async (bytes) => {
        pieces.push(Buffer.from(bytes));
      },
    };
    const writer = createTarWriter({ sink, pool, level: 0, onSum: () => undefined });
    await writer.add(
      { ...header, size: 40 * blockSize },
      {
        kind: 'blocks',
        read: async function* () {
          for (let i = 0; i < 40; i++) yield Buffer.from(block);
        },
      },
    );
    await writer.finish(tail);
    const archive = Buffer.concat(pieces);
    const source: ByteSource = {
      name: 'a',
      size: archive.length,
      read: async (at, length) => {
        if (length > 100) position = Math.max(position, at + length);
        return Buffer.from(archive.subarray(at, at + length));
      },
      close: () => Promise.resolve(),
    };
    const reader = await openTarReader(source, pool);
    let taken = 0;
    for await (const { content } of reader.decode({ want: () => 'content' })) {
      if (content.kind !== 'chunks') continue;
      for await (const chunk of content.chunks) {
        taken += chunk.length;
        await new Promise((resolve) => setTimeout(resolve, 2));
        expect(position - taken).toBeLessThan((2 * pool.width + 4) * blockSize);
      }
    }
    expect(taken).toBe(40 * blockSize);
  });

  it('may be zeros that were packed a thousand to one', async () => {
    const bomb = gzipSync(Buffer.concat([rawHeader({ size: 2 ** 32 }), Buffer.alloc(200 * blockSize)]));
    const before = process.memoryUsage().arrayBuffers;
    let peak = before;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().arrayBuffers)), 2);
    const reader = await openTarReader(
      {
        name: 'bomb',
        size: bomb.length,
        read: async (at, length) => Buffer.from(bomb.subarray(at, at + length)),
        close: () => Promise.resolve(),
      },
      pool,
    );
    const work = async (): Promise<void> => {
      for await (const { content } of reader.decode({ want: () => 'sum' })) expect(content.kind).toBe('sum');
    };
    await expect(work()).rejects.toMatchObject({ id: 'truncated' });
    clearInterval(watch);
    expect(peak - before).toBeLessThan(64 * blockSize);
    expect((await readAll(pool, gzipSync(Buffer.alloc(10 * blockSize)))).samples).toEqual([]);
  });
});
