import { afterAll, describe, expect, it } from 'vitest';
import { isFull } from '../../helpers/rounds.js';
import { ArchiveDamage } from '../../../src/base/damage.js';
import { CompressPool } from '../../../src/compress/pool.js';
import { body, file, folder, link, noise, type Sample } from '../tar/archives.js';
import { openBytes, readZip, writeZip, type ReadResult } from './archives.js';

const pool = new CompressPool(2);
afterAll(() => pool.close());

const samples: readonly Sample[] = [
  folder('uploads', { mtime: 1_700_000_000_123_456_789n, mode: 0o2750 }),
  file('uploads/a', 'content of a, content of a, content of a', { uid: 33, gid: 34 }),
  file('uploads/b', noise(100), { mode: 0o4755, mtime: -1n }),
  file('uploads/empty', '', { mtime: 9_000_000_000_000_000_000n }),
  link('uploads/c', 'a'),
];

const comparable = (found: readonly Sample[]): unknown =>
  found.map(({ header, bytes }) => ({ ...header, mtime: String(header.mtime), bytes: bytes.toString('hex') }));

const noticed = ({ thrown, damaged, oddities }: ReadResult): boolean =>
  thrown !== undefined || damaged.length > 0 || oddities.length > 0;

/** Each way in gives something or says what is damaged. */
async function proofOf(archive: Buffer): Promise<{ sha256: string; bodyHash: string | undefined } | undefined> {
  const tolerant = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      expect(error).toBeInstanceOf(ArchiveDamage);
      return undefined;
    }
  };
  const reader = await tolerant(() => openBytes(pool, archive));
  if (reader === undefined) return undefined;
  await tolerant(() => reader.isEncrypted());
  await tolerant(() => reader.readManifest());
  await tolerant(() => reader.readTail());
  return tolerant(() => reader.proveBytes());
}

/** The lowest bit, the highest, all: one after the other, or each on every byte. */
const masks = [1, 0x80, 0xff];

describe('a damaged zip', () => {
  it('is noticed wherever a bit is flipped', async () => {
    const { archive, proof, bodyHash } = await writeZip(pool, samples, { comment: '{"id":"x"}' });
    const whole = await readZip(pool, archive);
    expect(noticed(whole)).toBe(false);
    const original = comparable(body(whole.samples));
    expect(await proofOf(archive)).toEqual({ sha256: proof.sha256, bodyHash });
    let silent = 0;
    for (let at = 0; at < archive.length; at++) {
      for (const mask of isFull ? masks : [masks[at % masks.length]!]) {
        const damaged = Buffer.from(archive);
        damaged[at]! ^= mask;
        const read = await readZip(pool, damaged);
        const found = await proofOf(damaged);
        // As a file it is another one, whatever else it is.
        expect(found?.sha256).not.toBe(proof.sha256);
        if (noticed(read) || found?.bodyHash !== bodyHash) continue;
        // Nothing shows it but the archive's own sum: then nothing of the sources may differ.
        expect([at, comparable(body(read.samples))]).toEqual([at, original]);
        silent += 1;
      }
    }
    // The comment, and the metadata of SHA256SUMS and manifest.json; everything else is covered twice.
    expect(silent).toBeLessThan((isFull ? masks.length : 1) * 250);
  });

  it('is noticed wherever it is cut, and from wherever it begins', async () => {
    const { archive } = await writeZip(pool, samples, { comment: 'comment' });
    for (let length = 0; length < archive.length; length++) {
      const read = await readZip(pool, archive.subarray(0, length));
      expect([length, read.thrown?.id]).toEqual([length, 'truncated']);
      expect(noticed(await readZip(pool, archive.subarray(length + 1)))).toBe(true);
    }
  });

  it('is noticed wherever a byte is missing or one too many is', async () => {
    const { archive } = await writeZip(pool, samples);
    for (let at = 0; at < archive.length; at++) {
      const without = Buffer.concat([archive.subarray(0, at), archive.subarray(at + 1)]);
      const doubled = Buffer.concat([archive.subarray(0, at + 1), archive.subarray(at)]);
      expect([at, noticed(await readZip(pool, without))]).toEqual([at, true]);
      expect([at, noticed(await readZip(pool, doubled))]).toEqual([at, true]);
    }
  });

  it('is noticed wherever its bytes are lost in blocks, of zeros or of what was there before', async () => {
    const { archive, proof } = await writeZip(pool, [...samples, file('uploads/large', noise(3_000_000))]);
    for (let at = 0; at < archive.length; at += 128 * 1024) {
      for (const filler of [0, 0xff]) {
        const damaged = Buffer.from(archive);
        damaged.fill(filler, at, at + 4096);
        expect((await proofOf(damaged))?.sha256).not.toBe(proof.sha256);
        expect([at, noticed(await readZip(pool, damaged))]).toEqual([at, true]);
      }
    }
  });

  it('tells which file of several is damaged, and gives the others', async () => {
    const large = file('uploads/large', noise(3_000_000));
    const { archive } = await writeZip(pool, [file('a', 'a'.repeat(100)), large, file('z', 'z')]);
    const damaged = Buffer.from(archive);
    damaged[1_500_000]! ^= 1;
    const read = await readZip(pool, damaged);
    expect(read.damaged).toMatchObject([{ path: 'uploads/large' }]);
    expect(body(read.samples).map(({ header }) => header.path)).toEqual(['a', 'z']);
  });
});
