import { randomBytes } from 'node:crypto';
import { crc32, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { gunzip } from '../../../src/archive/tar/gunzip.js';
import type { ByteSource } from '../../../src/base/byte-source.js';
import type { Damage } from '../../../src/base/damage.js';
import { MemorySource } from './archives.js';

async function gunzipped(bytes: Buffer): Promise<{ content: Buffer; oddities: Damage[] }> {
  const oddities: Damage[] = [];
  const pieces: Buffer[] = [];
  for await (const chunk of gunzip(new MemorySource(bytes), (damage) => oddities.push(damage)))
    pieces.push(chunk.bytes);
  return { content: Buffer.concat(pieces), oddities };
}

/** A member with these flags and header fields. */
function member(content: Buffer, flags: number, fields: Buffer): Buffer {
  const plain = gzipSync(content);
  const head = Buffer.concat([plain.subarray(0, 3), Buffer.from([flags]), plain.subarray(4, 10), fields]);
  return Buffer.concat([head, plain.subarray(10)]);
}

describe('gunzip', () => {
  it('reads members of every size, however many, whose ends fall anywhere in what is read at once', async () => {
    const contents = [0, 1, 65_000, 65_510, 65_515, 65_520, 65_536, 131_072, 200_000].map((size) => randomBytes(size));
    const many = Array.from({ length: 300 }, (_, i) => randomBytes(i % 7));
    const all = [...contents, ...many];
    const { content, oddities } = await gunzipped(Buffer.concat(all.map((bytes) => gzipSync(bytes))));
    expect(content.equals(Buffer.concat(all))).toBe(true);
    expect(oddities).toEqual([]);
  });

  it('finds the end of a deflate stream at every place within what is read at once', async () => {
    const second = gzipSync('second');
    for (let size = 65_536 - 40; size < 65_536 + 10; size++) {
      const first = randomBytes(size);
      const { content } = await gunzipped(Buffer.concat([gzipSync(first, { level: 0 }), second]));
      expect(content.equals(Buffer.concat([first, Buffer.from('second')]))).toBe(true);
    }
  });

  it('reads headers with an extra field, a name, a comment and a sum', async () => {
    const text = Buffer.from('content');
    const extra = Buffer.from([3, 0, 1, 2, 3]);
    const name = Buffer.from('name\0');
    expect((await gunzipped(member(text, 4, extra))).content).toEqual(text);
    expect((await gunzipped(member(text, 8, name))).content).toEqual(text);
    expect((await gunzipped(member(text, 4 + 8 + 16, Buffer.concat([extra, name, name])))).content).toEqual(text);
    const head = member(text, 2 + 8, name).subarray(0, 15);
    const sum = Buffer.alloc(2);
    sum.writeUInt16LE(crc32(head) & 0xffff);
    expect((await gunzipped(member(text, 2 + 8, Buffer.concat([name, sum])))).content).toEqual(text);
    sum[0]! ^= 1;
    await expect(gunzipped(member(text, 2 + 8, Buffer.concat([name, sum])))).rejects.toMatchObject({
      id: 'structure-invalid',
    });
  });

  it('refuses headers that go on without end or that nobody defined', async () => {
    const text = Buffer.from('content');
    await expect(gunzipped(member(text, 8, Buffer.alloc(200_000, 65)))).rejects.toMatchObject({
      id: 'structure-invalid',
    });
    await expect(gunzipped(member(text, 0x20, Buffer.alloc(0)))).rejects.toMatchObject({ id: 'structure-invalid' });
    const method = gzipSync(text);
    method[2] = 7;
    await expect(gunzipped(method)).rejects.toMatchObject({ id: 'structure-invalid' });
  });

  it('tells a wrong sum from a wrong size from content that cannot be inflated', async () => {
    const good = gzipSync('some content');
    const changed = (at: number): Buffer => {
      const bytes = Buffer.from(good);
      bytes[at]! ^= 0xff;
      return bytes;
    };
    await expect(gunzipped(changed(good.length - 8))).rejects.toMatchObject({ id: 'crc-mismatch' });
    await expect(gunzipped(changed(good.length - 4))).rejects.toMatchObject({ id: 'size-mismatch' });
    await expect(gunzipped(changed(10))).rejects.toMatchObject({ id: 'content-undecodable' });
    await expect(gunzipped(good.subarray(0, -1))).rejects.toMatchObject({ id: 'truncated' });
  });

  it('passes a failure of the source on', async () => {
    const source = new MemorySource(gzipSync(randomBytes(500_000)));
    const broken: ByteSource = {
      name: source.name,
      size: source.size,
      read: (position, length) =>
        position > 200_000 ? Promise.reject(new Error('disk gone')) : source.read(position, length),
      close: () => source.close(),
    };
    const read = async (): Promise<void> => {
      for await (const chunk of gunzip(broken, () => undefined)) expect(chunk.bytes.length).toBeGreaterThan(0);
    };
    await expect(read()).rejects.toThrow('disk gone');
  });
});
