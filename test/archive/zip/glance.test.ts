import { afterAll, describe, expect, it } from 'vitest';
import { glanceAtZip, type ZipGlance } from '../../../src/archive/zip/glance.js';
import { ArchiveDamage } from '../../../src/base/damage.js';
import { CompressPool } from '../../../src/compress/pool.js';
import type { Glimpse } from '../../../src/fs/glimpse.js';
import { testPassphrase } from '../../helpers/aes-entry.js';
import { hostileZips } from '../../e2e/hostile-zips.js';
import { file, folder, manifest, noise, type Sample } from '../tar/archives.js';
import { openBytes, passphraseOf, writeZip } from './archives.js';

const pool = new CompressPool(2);
afterAll(() => pool.close());

const samples = [folder('uploads'), file('uploads/a', 'content of a'), file('uploads/b', noise(300))];
const comment = '{"id":"20251030T120000Z-daily","complete":true}';
const encryption = { passphrase: passphraseOf(testPassphrase) };

/** Each piece lies in memory of its own, which ends with it. */
const seenIn = (archive: Buffer): ZipGlance | undefined => {
  const read: Glimpse['read'] = (position, length) => {
    if (position < 0 || length < 0 || position + length > archive.length) throw new RangeError('not in it');
    return Buffer.from(archive.subarray(position, position + length));
  };
  return glanceAtZip({ size: archive.length, read });
};

/** The same by the reader; undefined where it finds damage. */
async function readIn(archive: Buffer): Promise<ZipGlance | undefined> {
  try {
    const reader = await openBytes(pool, archive);
    if (await reader.isEncrypted()) return { kind: 'encrypted', comment: reader.comment };
    const found = await reader.readManifest();
    return found === undefined ? undefined : { kind: 'clear', manifest: found };
  } catch (error) {
    if (error instanceof ArchiveDamage) return undefined;
    throw error;
  }
}

/** A thousand files: the central directory is longer than what is looked at. */
const many = (): readonly Sample[] => [
  folder('uploads'),
  ...Array.from({ length: 1000 }, (_, n) => file(`uploads/${String(n).padStart(4, '0')}`, `content ${n}`)),
];

describe('a glance at a zip', () => {
  it.each([
    { name: 'small', of: () => samples },
    { name: 'with a long directory', of: many },
    { name: 'with nothing in it', of: () => [] },
  ])('shows the manifest of one that is $name', async ({ of }) => {
    for (const level of [0, 6]) {
      const { archive } = await writeZip(pool, of(), { level, comment });
      expect(seenIn(archive)).toEqual({ kind: 'clear', manifest });
    }
  });

  it('shows the comment of an encrypted one', async () => {
    const { archive } = await writeZip(pool, samples, { comment, encryption });
    expect(seenIn(archive)).toEqual({ kind: 'encrypted', comment });
  });

  it('leaves a comment that hides the directory to the reader', async () => {
    const { archive } = await writeZip(pool, samples, { comment: 'x'.repeat(60_000) });
    expect(seenIn(archive)).toBeUndefined();
    expect(await readIn(archive)).toEqual({ kind: 'clear', manifest });
  });

  it.each(['clear', 'encrypted'])('never shows what the reader does not find: any byte flipped, %s', async (kind) => {
    const sealed = kind === 'encrypted' ? { encryption } : {};
    const { archive } = await writeZip(pool, samples, { comment, ...sealed });
    let shown = 0;
    for (let at = 0; at < archive.length; at += 1) {
      const altered = Buffer.from(archive);
      altered.writeUInt8(altered.readUInt8(at) ^ 0xff, at);
      const seen = seenIn(altered);
      if (seen === undefined) continue;
      shown += 1;
      expect(seen, `byte ${at}`).toEqual(await readIn(altered));
    }
    expect(shown).toBeGreaterThan(50);
    expect(shown).toBeLessThan(archive.length);
  });

  it('shows nothing of one that was cut anywhere, or has bytes behind its end', async () => {
    const { archive } = await writeZip(pool, samples, { comment });
    for (let length = 0; length < archive.length; length += 1) {
      expect(seenIn(archive.subarray(0, length)), `${length} bytes`).toBeUndefined();
    }
    expect(seenIn(Buffer.concat([archive, Buffer.from('x')]))).toBeUndefined();
    expect(seenIn(Buffer.concat([Buffer.from('MZ'), archive]))).toBeUndefined();
  });

  it.each(hostileZips.map(({ name, bytes }) => [name, bytes] as const))(
    'shows of %s what the reader finds, or nothing',
    async (_, bytes) => {
      const seen = seenIn(Buffer.from(bytes));
      if (seen !== undefined) expect(seen).toEqual(await readIn(Buffer.from(bytes)));
    },
  );
});
