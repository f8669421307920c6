import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { EntrySum } from '../../../src/archive/archive.js';
import { openZipReader } from '../../../src/archive/zip/reader.js';
import { createZipWriter } from '../../../src/archive/zip/writer.js';
import type { ByteSink, ByteSource } from '../../../src/base/byte-source.js';
import { blockSize } from '../../../src/base/limits.js';
import { CompressPool } from '../../../src/compress/pool.js';
import { openByteSource } from '../../../src/fs/random-access.js';
import { collect, file, inChunks, manifest } from '../tar/archives.js';

const run = promisify(execFile);
const pool = new CompressPool(2);
afterAll(() => pool.close());

const size = 4 * 2 ** 30 + 12_345;
const tail = {
  sums: () => inChunks(Buffer.from('sums\n')),
  sumsBytes: 5,
  manifest,
  mtime: 0n,
  comment: '',
};

async function* zeros(): AsyncGenerator<Buffer> {
  for (let left = size; left > 0; left -= blockSize) yield Buffer.alloc(Math.min(left, blockSize));
}

describe('a file of more than 4 GiB', () => {
  it('is written, read back and proven, and read by others', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'bkp-huge-'));
    const path = join(dir, 'huge.zip');
    const handle = await open(path, 'w');
    try {
      const sums: EntrySum[] = [];
      const sink: ByteSink = {
        write: async (bytes) => handle.writeFile(bytes),
        truncate: (to) => handle.truncate(to),
      };
      const writer = createZipWriter({ sink, pool, level: 1, onSum: (sum) => sums.push(sum), scratch: dir });
      const { header } = file('uploads/huge', '');
      await writer.add({ ...header, size }, { kind: 'blocks', read: zeros });
      await writer.add(file('uploads/z', 'z').header, { kind: 'bytes', bytes: Buffer.from('z') });
      const { bodyHash } = await writer.endBody();
      const proof = await writer.finish(tail);
      expect(proof.bytes).toBeLessThan(64 * blockSize);

      const hash = createHash('sha256');
      for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
      expect(proof.sha256).toBe(hash.digest('hex'));
      const reader = await openZipReader(await openByteSource(path), pool);
      expect(await reader.proveBytes()).toEqual({ sha256: proof.sha256, bodyHash });
      const found: unknown[] = [];
      for await (const { header: entry, content } of reader.decode({ want: () => 'sum' })) {
        if (content.kind === 'sum') found.push({ path: entry.path, bytes: entry.size, sha256: content.sha256 });
      }
      await reader.close();
      expect(found.slice(0, 2)).toEqual(sums);
      expect(reader.oddities).toEqual([]);

      const listed = await run('unzip', ['-l', path]);
      expect(listed.stdout).toContain(String(size));
      const streamed = await run('sh', ['-c', 'cat "$1" | bsdtar -xOf - uploads/huge | wc -c', 'sh', path]);
      expect(streamed.stdout.trim()).toBe(String(size));
      expect((await run('unzip', ['-tqq', path])).stderr).toBe('');
    } finally {
      await handle.close();
      await rm(dir, { recursive: true });
    }
  }, 300_000);

  it('lies before others whose place needs 8 bytes, when it does not shrink', async () => {
    // What is written is kept only at its end: the stored zeros before it are zeros when they are read again.
    let written = 0;
    const lastPieces: Uint8Array[] = [];
    const sink: ByteSink = {
      write: async (bytes) => {
        written += bytes.length;
        if (written < size - 16 * blockSize) return;
        lastPieces.push(Uint8Array.from(bytes));
        if (lastPieces.length > 12) lastPieces.shift();
      },
    };
    const writer = createZipWriter({ sink, pool, level: 0, onSum: () => undefined, scratch: tmpdir() });
    const { header } = file('uploads/huge', '');
    await writer.add({ ...header, size }, { kind: 'blocks', read: zeros });
    // Its sizes need 4 bytes, its place 8: behind its content they must be what both records say.
    const large = file('uploads/large', Buffer.alloc(3 * blockSize + 5, 'large'));
    await writer.add(large.header, { kind: 'blocks', read: () => inChunks(large.bytes) });
    const last = file('uploads/z', 'last');
    await writer.add(last.header, { kind: 'bytes', bytes: last.bytes });
    const { bytes } = await writer.finish(tail);
    expect(bytes).toBe(written);
    expect(bytes).toBeGreaterThan(size);
    const kept = Buffer.concat(lastPieces);
    const keptFrom = bytes - kept.length;
    const first = firstRecord(kept);
    const source: ByteSource = {
      name: 'tail.zip',
      size: bytes,
      read: async (position, length) => {
        const piece = Buffer.alloc(length);
        if (position < first.length) first.copy(piece, 0, position);
        const from = keptFrom - position;
        if (from < length) kept.copy(piece, Math.max(0, from), Math.max(0, -from));
        return piece;
      },
      close: () => Promise.resolve(),
    };
    const reader = await openZipReader(source, pool);
    expect(await reader.readManifest()).toEqual(manifest);
    const found: unknown[] = [];
    const want = ({ path }: { path: string }): 'content' | 'nothing' =>
      path === 'uploads/huge' ? 'nothing' : 'content';
    for await (const { header: entry, content } of reader.decode({ want })) {
      const kinds = new Map([
        ['uploads/huge', 'none'],
        ['uploads/large', 'chunks'],
      ]);
      expect(content.kind).toBe(kinds.get(entry.path) ?? 'bytes');
      if (content.kind === 'chunks') expect((await collect(content.chunks)).equals(large.bytes)).toBe(true);
      found.push([entry.path, entry.size]);
    }
    expect(found).toEqual([
      ['uploads/huge', size],
      ['uploads/large', 3 * blockSize + 5],
      ['uploads/z', 4],
      ['SHA256SUMS', 5],
      ['manifest.json', manifest.length],
    ]);
    expect(reader.oddities).toEqual([]);
  }, 300_000);
});

/** The first entry's local record, as its central one in the kept end says it must be: a large one with a descriptor. */
function firstRecord(kept: Buffer): Buffer {
  const central = kept.indexOf('uploads/huge', kept.indexOf('PK\x01\x02'));
  const name = kept.subarray(central, central + 12);
  const fixed = Buffer.from(kept.subarray(central - 46, central));
  const extras = kept.subarray(central + 12, central + 12 + fixed.readUInt16LE(30));
  // The central field's two values are zeros in the local one; then the public fields, which both have.
  const zip64 = Buffer.concat([extras.subarray(0, 4), Buffer.alloc(16)]);
  const shared = extras.subarray(20, 20 + 9 + 15);
  const record = Buffer.alloc(30);
  record.writeUInt32LE(0x04034b50, 0);
  fixed.copy(record, 4, 6, 16);
  record.fill(0xff, 18, 26);
  record.writeUInt16LE(name.length, 26);
  record.writeUInt16LE(zip64.length + shared.length, 28);
  return Buffer.concat([record, name, zip64, shared]);
}
