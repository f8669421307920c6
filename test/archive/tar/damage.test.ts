import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { openTarReader } from '../../../src/archive/tar/reader.js';
import { ArchiveDamage } from '../../../src/base/damage.js';
import { blockSize } from '../../../src/base/limits.js';
import { CompressPool } from '../../../src/compress/pool.js';
import { file, folder, link, MemorySource, noise, readAll, write, type ReadResult, type Sample } from './archives.js';

const pool = new CompressPool(1);
afterAll(() => pool.close());

const samples = [
  folder('uploads', { mtime: 1_700_000_000_123_456_789n }),
  file('uploads/a', 'content of a'),
  file('uploads/b', noise(700)),
  link('uploads/c', 'a'),
];

const same = (a: Sample, b: Sample | undefined): boolean =>
  b !== undefined &&
  JSON.stringify({ ...a.header, mtime: String(a.header.mtime) }) ===
    JSON.stringify({ ...b.header, mtime: String(b.header.mtime) }) &&
  a.bytes.equals(b.bytes);

const noticed = ({ thrown, damaged, oddities }: ReadResult): boolean =>
  thrown !== undefined || damaged.length > 0 || oddities.length > 0;

/** The other ways in: each gives something or says what is damaged. */
async function tryTheRest(archive: Buffer): Promise<void> {
  for (const method of ['readManifest', 'readTail', 'proveBytes'] as const) {
    try {
      const reader = await openTarReader(new MemorySource(archive), pool);
      await reader[method]();
    } catch (error) {
      expect(error).toBeInstanceOf(ArchiveDamage);
    }
  }
}

/** What was read must be what was written, unless the reader said that something is wrong. */
async function provesItself(archive: Buffer, original: readonly Sample[], mustNotice: boolean): Promise<void> {
  const read = await readAll(pool, archive);
  if (mustNotice) expect(noticed(read)).toBe(true);
  if (read.thrown !== undefined || read.damaged.length > 0) return tryTheRest(archive);
  if (read.oddities.length === 0) expect(read.samples).toHaveLength(original.length);
  read.samples.forEach((sample, i) => expect(same(sample, original[i])).toBe(true));
  await tryTheRest(archive);
}

describe('a damaged tar.gz', () => {
  it('is noticed wherever a bit of ours is flipped, or gives the very same entries', async () => {
    const { archive, proof } = await write(pool, samples);
    const { samples: original } = await readAll(pool, archive);
    for (let at = 0; at < archive.length; at++) {
      for (const bit of [1, 0x80]) {
        const damaged = Buffer.from(archive);
        damaged[at]! ^= bit;
        // Deflate knows many ways to say one thing: where the content is the same, only the archive's own sum differs.
        await provesItself(damaged, original, false);
        const reader = await openTarReader(new MemorySource(damaged), pool).catch(() => undefined);
        expect((await reader?.proveBytes())?.sha256).not.toBe(proof.sha256);
      }
    }
  });

  it('is noticed wherever ours is cut', async () => {
    const { archive } = await write(pool, samples);
    const { samples: original } = await readAll(pool, archive);
    for (let length = 0; length < archive.length; length++)
      await provesItself(archive.subarray(0, length), original, true);
  });

  it('is noticed wherever an ordinary one is cut, and gives the right entries or none where a bit is flipped', async () => {
    const { archive } = await write(pool, samples);
    const ordinary = gzipSync(gunzipSync(archive));
    const { samples: original } = await readAll(pool, ordinary);
    for (let at = 0; at < ordinary.length; at++) {
      await provesItself(ordinary.subarray(0, at), original, true);
      const damaged = Buffer.from(ordinary);
      damaged[at]! ^= 4;
      await provesItself(damaged, original, false);
    }
  });

  it('gives what lies before a damaged member, and says where that is', async () => {
    const large = file('uploads/large', noise(3 * blockSize));
    const { archive } = await write(pool, [file('a', 'a'), large, file('z', 'z')]);
    const damaged = Buffer.from(archive);
    damaged[2 * blockSize]! ^= 1;
    const read = await readAll(pool, damaged);
    expect(read.samples.map(({ header }) => header.path)).toEqual(['a']);
    expect(read.thrown).toMatchObject({ id: 'content-undecodable' });
    expect(read.thrown?.message).toMatch(/^at byte \d+: /);
  });

  it('is odd for whatever lies behind its end', async () => {
    const { archive } = await write(pool, samples);
    const ordinary = gzipSync(gunzipSync(archive));
    for (const behind of [Buffer.from('x'), Buffer.alloc(1), Buffer.alloc(100), Buffer.from('PK\x03\x04'), archive]) {
      for (const whole of behind === archive ? [archive] : [archive, ordinary]) {
        const read = await readAll(pool, Buffer.concat([whole, behind]));
        expect(read.thrown).toBeUndefined();
        expect(read.samples).toHaveLength(samples.length + 2);
        expect(read.oddities.map(({ id }) => id)).toContain('data-after-end');
      }
    }
  });

  it('is odd for something else than zeros behind a file', async () => {
    const { archive } = await write(pool, samples);
    const tar = gunzipSync(archive);
    const at = tar.indexOf('content of a') + 'content of a'.length;
    tar[at] = 1;
    // Only one of ours is held to that: the same members, made again.
    expect((await readAll(pool, gzipSync(tar))).oddities).toEqual([]);
    const member = await pool.run('gzip-member', { data: Uint8Array.from(tar), level: 6 });
    const read = await readAll(pool, Buffer.from(member.data));
    expect(read.thrown).toBeUndefined();
    expect(read.oddities.map(({ id }) => id)).toEqual(['truncated', 'structure-invalid']);
  });
});
