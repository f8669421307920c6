import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../helpers/surroundings.js';
import { KnownEntries, knownEntriesName, NewKnownEntries } from '../../../src/archive/known/known-entries-file.js';
import type { KnownEntry } from '../../../src/archive/known/known-entry.js';
import type { KnownMember } from '../../../src/archive/known/known-member.js';
import type { KnownRecord } from '../../../src/archive/known/known-record.js';
import { clearSeal, passphraseSeal, type PieceSeal } from '../../../src/archive/known/piece-seal.js';
import { Passphrase } from '../../../src/base/passphrase.js';

const key = { instance: 'app', source: 'data', container: 'zip', isEncrypted: false } as const;
const of = { archive: '20260101T000000Z-manual.zip', level: 3 };

const bytes = (length: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((found) => Buffer.from(found));
const number64 = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n });

const blocks = fc.integer({ min: 1, max: 5 }).chain((count) =>
  fc.record({
    sizes: fc.array(fc.nat(2 ** 21), { minLength: count, maxLength: count }),
    sums: bytes(16 * count),
    contents: fc.option(bytes(32 * count), { nil: undefined }),
    head: fc.constantFrom(Buffer.alloc(0), Buffer.alloc(18, 1)),
    tail: fc.constantFrom(Buffer.alloc(0), Buffer.alloc(10, 2)),
  }),
);

const place = fc
  .record({
    offset: fc.nat(2 ** 31 - 1).map((found) => found * 4096),
    length: fc.nat(2 ** 31 - 1),
    method: fc.constantFrom(0 as const, 8 as const),
    crc: fc.nat(2 ** 31 - 1).map((found) => found * 2),
  })
  .chain((common) =>
    fc.oneof(
      bytes(16).map((sum) => ({ ...common, sum, blocks: undefined })),
      blocks.map((found) => ({ ...common, sum: undefined, blocks: found })),
    ),
  );

const path = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).map((name) => `data/${name}`);

const entry: fc.Arbitrary<KnownEntry> = fc.record({
  path,
  stat: fc.option(
    fc.record({
      size: fc.nat(),
      mtime: number64,
      ctime: number64,
      ino: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    }),
    { nil: undefined },
  ),
  isProven: fc.boolean(),
  sha256: bytes(32).map((sum) => sum.toString('hex')),
  place,
});

const member: fc.Arbitrary<KnownMember> = fc.record({
  path,
  entries: fc.nat(2 ** 31 - 1),
  digest: bytes(32),
  sums: fc.integer({ min: 0, max: 5 }).chain((files) => bytes(32 * files)),
  isProven: fc.boolean(),
  member: fc.record({
    offset: fc.nat(2 ** 31 - 1).map((found) => found * 4096),
    length: fc.nat(2 ** 31 - 1).map((found) => found * 2),
    size: fc.nat(2 ** 20),
    sum: bytes(16),
  }),
});

const record: fc.Arbitrary<KnownRecord> = fc.oneof(
  entry.map((found) => ({ kind: 'entry' as const, entry: found })),
  member.map((found) => ({ kind: 'member' as const, member: found })),
);

async function write(folder: string, entries: readonly KnownRecord[], seal: PieceSeal, salt?: Buffer): Promise<string> {
  const made = await NewKnownEntries.create(folder, key, of, { seal, salt });
  for (const one of entries) made.add(one);
  await made.publish();
  await made.discard();
  return join(folder, knownEntriesName(key));
}

async function read(folder: string, seal: PieceSeal | undefined): Promise<readonly KnownRecord[] | undefined> {
  const known = await KnownEntries.open(folder, key, () => Promise.resolve(seal));
  if (known === undefined) return undefined;
  try {
    const found: KnownRecord[] = [];
    for await (const piece of known.pieces()) found.push(...piece);
    expect(known.of).toEqual(of);
    return found;
  } finally {
    await known.close();
  }
}

const at = (path: string): KnownRecord => ({
  kind: 'entry',
  entry: {
    path,
    stat: { size: 1, mtime: 1n, ctime: 1n, ino: 1n },
    isProven: true,
    sha256: '00'.repeat(32),
    place: { offset: 0, length: 1, method: 0, crc: 1, sum: Buffer.alloc(16), blocks: undefined },
  },
});
const one = at('data/a');

describe('remembered entries', () => {
  it('are read as they were written', async () => {
    const folder = temporaryFolder();
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 30 }), async (entries) => {
        await write(folder, entries, clearSeal);
        expect(await read(folder, clearSeal)).toEqual(entries);
      }),
      { numRuns: 40 },
    );
  });

  it('fill many pieces', async () => {
    const folder = temporaryFolder();
    const many = Array.from({ length: 5000 }, (_, index) => at(`data/${index}`));
    await write(folder, many, clearSeal);
    expect(await read(folder, clearSeal)).toEqual(many);
  });

  it('are nothing where there are none, or no longer ours', async () => {
    const folder = temporaryFolder();
    expect(await read(folder, clearSeal)).toBeUndefined();
    const path = await write(folder, [one], clearSeal);
    expect(await read(folder, undefined)).toBeUndefined();
    for (const content of ['', 'x', 'x'.repeat(5000), `{"format":"other"}${' '.repeat(2000)}`]) {
      writeFileSync(path, content);
      expect(await read(folder, clearSeal)).toBeUndefined();
    }
  });

  it('end where they are damaged: no entry is made up', async () => {
    const folder = temporaryFolder();
    const many = Array.from({ length: 3000 }, (_, index) => at(`data/${index}`));
    const path = await write(folder, many, clearSeal);
    const whole = readFileSync(path);
    for (let at = 1024; at < whole.length; at += 20_011) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      writeFileSync(path, damaged);
      const found = (await read(folder, clearSeal)) ?? [];
      expect(found.length).toBeLessThan(many.length);
      expect(found).toEqual(many.slice(0, found.length));
    }
  });

  it('of a run that does not end leave those before', async () => {
    const folder = temporaryFolder();
    await write(folder, [one], clearSeal);
    const given = await NewKnownEntries.create(folder, key, of, { seal: clearSeal, salt: undefined });
    given.add(at('data/b'));
    await given.discard();
    expect(await read(folder, clearSeal)).toEqual([one]);
    expect(readdirSync(folder)).toHaveLength(1);
    // Killed: the next run begins it anew.
    const killed = await NewKnownEntries.create(folder, key, of, { seal: clearSeal, salt: undefined });
    killed.add(at('data/c'));
    expect(existsSync(join(folder, `.${knownEntriesName(key)}.partial`))).toBe(true);
    await write(folder, [one, one], clearSeal);
    expect(await read(folder, clearSeal)).toEqual([one, one]);
    await killed.discard();
  });

  it('are for their owner alone', async () => {
    const folder = temporaryFolder();
    expect(statSync(await write(folder, [one], clearSeal)).mode & 0o777).toBe(0o600);
  });
});

describe('remembered entries of encrypted archives', () => {
  const salt = Buffer.alloc(16, 7);
  const sealOf = (words: string): Promise<PieceSeal> => passphraseSeal(new Passphrase(Buffer.from(words)), salt);

  it('are opened by the same passphrase alone', async () => {
    const folder = temporaryFolder();
    const seal = await sealOf('right');
    const path = await write(folder, [one], seal, salt);
    expect(await read(folder, seal)).toEqual([one]);
    expect(await read(folder, await sealOf('wrong'))).toEqual([]);
    expect(await read(folder, clearSeal)).toEqual([]);
    expect(readFileSync(path).includes('data/a')).toBe(false);
    const damaged = readFileSync(path);
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    writeFileSync(path, damaged);
    expect(await read(folder, seal)).toEqual([]);
  });

  it('cannot be moved to another place', async () => {
    const seal = await sealOf('right');
    const closed = seal.close(Buffer.from('piece'), Buffer.from('here'));
    expect(seal.open(closed, Buffer.from('here'))?.toString()).toBe('piece');
    expect(seal.open(closed, Buffer.from('there'))).toBeUndefined();
    expect(seal.open(Buffer.alloc(3), Buffer.from('here'))).toBeUndefined();
  });
});
