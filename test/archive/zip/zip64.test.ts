import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { openZipReader } from '../../../src/archive/zip/reader.js';
import {
  encodeCentral,
  encodeDescriptor,
  encodeEnd,
  encodeLocal,
  type RecordFields,
} from '../../../src/archive/zip/records.js';
import type { ByteSource } from '../../../src/base/byte-source.js';
import { CompressPool } from '../../../src/compress/pool.js';
import { body, file, folder, manifest, textOf, type Sample } from '../tar/archives.js';
import { openBytes, readZip, writeZip } from './archives.js';

const run = promisify(execFile);
const pool = new CompressPool(2);
afterAll(() => pool.close());

/** A file with holes: these pieces, and zeros between them. */
function sparse(size: number, pieces: readonly (readonly [number, Buffer])[]): ByteSource {
  return {
    name: 'sparse.zip',
    size,
    read: async (position, length) => {
      const bytes = Buffer.alloc(length);
      for (const [at, piece] of pieces) {
        const from = at - position;
        if (from < length && from + piece.length > 0) piece.copy(bytes, Math.max(0, from), Math.max(0, -from));
      }
      return bytes;
    },
    close: () => Promise.resolve(),
  };
}

describe('zip64', () => {
  for (const count of [65_532, 65_533, 70_000]) {
    it(`is used for ${count} entries where it must be, for us and for others`, async () => {
      const samples = Array.from({ length: count }, (_, index): Sample =>
        index % 100 === 0 ? folder(`u/${index}`) : file(`u/${index}`, index % 7 === 0 ? 'x'.repeat(100) : ''),
      );
      const { archive, bodyHash } = await writeZip(pool, samples, { comment: 'comment' });
      expect(archive.includes('PK\x06\x06')).toBe(count + 2 >= 65_535);
      const read = await readZip(pool, archive);
      expect(read).toMatchObject({ thrown: undefined, damaged: [], oddities: [] });
      expect(body(read.samples).map(({ header }) => header.path)).toEqual(samples.map(({ header }) => header.path));
      expect((await (await openBytes(pool, archive)).proveBytes()).bodyHash).toBe(bodyHash);
      if (count === 65_532) return;
      const dir = await mkdtemp(join(tmpdir(), 'bkp-zip64-'));
      try {
        const path = join(dir, 'many.zip');
        await writeFile(path, archive);
        const script = 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(len(z.namelist()), z.testzip())';
        expect((await run('python3', ['-c', script, path])).stdout).toBe(`${count + 2} None\n`);
        expect((await run('unzip', ['-tqq', path])).stderr).toBe('');
      } finally {
        await rm(dir, { recursive: true });
      }
    });
  }

  it('reads entries, directory and manifest that lie beyond 4 and beyond 8 GiB', async () => {
    const GiB = 2 ** 30;
    const content = Buffer.from('content');
    const entry = (name: string, bytes: Buffer, offset: number): RecordFields => ({
      name: Buffer.from(name),
      method: 0,
      mode: 0o100644,
      mtime: 0n,
      uid: 0,
      gid: 0,
      crc: crc32(bytes),
      size: bytes.length,
      packedSize: bytes.length,
      descriptor: false,
      large: false,
      offset,
    });
    const entries: readonly (readonly [RecordFields, Buffer])[] = [
      [entry('uploads/a', content, 0), content],
      [entry('uploads/b', content, 0xfffffffe), content],
      [entry('uploads/c', content, 5 * GiB), content],
      // Sizes behind the content: as wide as the zip64 field of the offset suggests, or as the sizes need.
      [{ ...entry('uploads/d', content, 6 * GiB), descriptor: true, large: true }, content],
      [{ ...entry('uploads/e', content, 7 * GiB), descriptor: true }, content],
      [entry('SHA256SUMS', content, 9 * GiB), content],
      [entry('manifest.json', manifest, 9 * GiB + 100), manifest],
    ];
    const directory = Buffer.concat(entries.map(([fields]) => encodeCentral(fields)));
    const offset = 9 * GiB + 1000;
    const end = encodeEnd({ entries: entries.length, offset, bytes: directory.length }, Buffer.alloc(0));
    const pieces = entries.map(
      ([fields, bytes]) =>
        [
          fields.offset,
          Buffer.concat([encodeLocal(fields), bytes, fields.descriptor ? encodeDescriptor(fields) : Buffer.alloc(0)]),
        ] as const,
    );
    const size = offset + directory.length + end.length;
    const source = sparse(size, [...pieces, [offset, Buffer.concat([directory, end])]]);
    const reader = await openZipReader(source, pool);
    expect(await reader.readManifest()).toEqual(manifest);
    const tail = await reader.readTail();
    expect([tail.manifest, await textOf(tail.sums)]).toEqual([manifest, content.toString()]);
    const found: string[] = [];
    for await (const { header, content: decoded } of reader.decode({ want: () => 'content' })) {
      expect(decoded.kind).toBe('bytes');
      found.push(header.path);
    }
    expect(found).toEqual(entries.map(([{ name }]) => name.toString()));
    expect(new Set(reader.oddities.map(({ id }) => id))).toEqual(new Set(['data-between-entries']));
  });
});
