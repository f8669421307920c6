import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { entryPathFault } from '../../../src/base/entry-path.js';
import { blockSize } from '../../../src/base/limits.js';
import { CompressPool } from '../../../src/compress/pool.js';
import { body, file, folder, link, manifest, noise, sha256, textOf, type Sample } from '../tar/archives.js';
import { openBytes, readZip, writeZip, type Written } from './archives.js';

const pool = new CompressPool(2);
afterAll(() => pool.close());

async function comesBack(samples: readonly Sample[], level?: number): Promise<Written> {
  const written = await writeZip(pool, samples, level === undefined ? {} : { level });
  const read = await readZip(pool, written.archive);
  expect(read).toMatchObject({ thrown: undefined, oddities: [], damaged: [] });
  expect(body(read.samples).map((sample) => sample.header)).toEqual(samples.map((sample) => sample.header));
  body(read.samples).forEach((sample, i) => expect(sample.bytes.equals(samples[i]!.bytes)).toBe(true));
  const files = samples.filter(({ header }) => header.kind === 'file');
  expect(written.sums).toEqual(
    files.map(({ header, bytes }) => ({ path: header.path, bytes: bytes.length, sha256: sha256(bytes) })),
  );
  expect(written.proof).toEqual({ bytes: written.archive.length, sha256: sha256(written.archive) });
  const reader = await openBytes(pool, written.archive);
  expect(await reader.proveBytes()).toEqual({ sha256: written.proof.sha256, bodyHash: written.bodyHash });
  expect(await reader.readManifest()).toEqual(manifest);
  expect(await reader.isEncrypted()).toBe(false);
  return written;
}

const odd = [
  'with space',
  ' ',
  'quote\'and"',
  'line\nfeed\r',
  'tab\tand=equals=',
  'a\\b',
  '..\\..\\x',
  'émoji 💾',
  'e\u0301 decomposed',
  '\u00e9 composed',
  '\uFEFFmark',
  'A',
  'a',
  '-rf',
  '~',
  '*?[x]',
  'C:',
  'nul',
  '\u0001\u007f',
  '...',
  '__proto__',
  'PK\u0005\u0006',
  'n'.repeat(255),
  'ü'.repeat(127),
  '💾'.repeat(63),
];

describe('what the writer writes, the reader reads', () => {
  it('brings odd names back byte for byte, of files, folders and links', async () => {
    await comesBack(
      odd.flatMap((name) => [
        file(`uploads/${name}`, `content of ${name}`),
        folder(`snapshots/${name}`),
        link(`config/${name}`, `../${name}/x`),
      ]),
    );
  });

  it('brings the longest and the deepest names back', async () => {
    const longest = `${'x'.repeat(200)}/`.repeat(20) + 'x'.repeat(76);
    const deepest = `${'y/'.repeat(255)}y`;
    await comesBack([longest, deepest].flatMap((name) => [file(name, name), folder(`${name.slice(0, -1)}z`)]));
  });

  it('brings links back whose targets are long, absolute, not ASCII or odd', async () => {
    const targets = ['.', '..', '/etc/passwd', 'ü', 'a\nb', 'x'.repeat(4096), ' ', '💾', 'a\\b'];
    await comesBack(targets.map((target, index) => link(`uploads/${index}`, target)));
  });

  it('brings every mode back, of files, folders and links', async () => {
    const modes = [...Array.from({ length: 12 }, (_, bit) => 1 << bit), 0, 0o777, 0o7777, 0o644, 0o4755];
    await comesBack(
      modes.flatMap((mode) => [
        file(`f${mode}`, 'x', { mode }),
        folder(`d${mode}`, { mode }),
        link(`l${mode}`, 'x', { mode }),
      ]),
    );
  });

  it('brings times back to the nanosecond, before 1970 and after 2038, and where 32 bits end', async () => {
    const seconds = [0n, 1n, -1n, 2n ** 31n - 1n, 2n ** 31n, -(2n ** 31n), -(2n ** 31n) - 1n, 2n ** 32n, -(2n ** 33n)];
    const calendar = [315_532_800n, 4_354_819_199n, 253_402_300_800n, -62_135_596_801n, 9_000_000_000_000n];
    const times = [...seconds, ...calendar].flatMap((second) =>
      [0n, 1n, 500_000_000n, 999_999_999n].map((fraction) => second * 1_000_000_000n + fraction),
    );
    await comesBack(times.map((mtime, index) => file(`uploads/${index}`, 'x', { mtime })));
  });

  it('brings every owner back that 32 bits can hold', async () => {
    const ids = [0, 1, 1000, 65_534, 65_535, 65_536, 2_097_151, 2 ** 31, 4_000_000_000, 4_294_967_294, 4_294_967_295];
    await comesBack(ids.map((id, index) => file(`uploads/${index}`, 'x', { uid: id, gid: ids.at(-1 - index)! })));
  });

  for (const level of [0, 1, 6, 9]) {
    it(`brings contents back at level ${level}, of every size around the blocks and of every kind`, async () => {
      const sizes = [0, 1, 2, 100, 65_535, 65_536, blockSize - 1, blockSize, blockSize + 1, 2 * blockSize];
      const large = 5 * blockSize + 3;
      const all = [...sizes, large];
      await comesBack(
        [
          ...all.map((size) => file(`uploads/zeros-${size}`, Buffer.alloc(size))),
          ...all.map((size) => file(`uploads/noise-${size}`, noise(size, size + 1))),
          file('uploads/mixed', Buffer.concat([noise(blockSize), Buffer.alloc(blockSize), noise(blockSize - 7)])),
        ],
        level,
      );
    });
  }

  it('never makes an entry larger than its content by more than its records', async () => {
    const content = noise(5 * blockSize);
    const { archive } = await comesBack([file('uploads/media', content)], 9);
    expect(archive.length).toBeLessThan(content.length + 3000);
  });

  it('brings back nothing', async () => {
    await comesBack([]);
  });

  it('brings thousands of entries back, in their order', async () => {
    const many = Array.from({ length: 5000 }, (_, index) =>
      index % 7 === 0 ? folder(`uploads/${index}`) : file(`uploads/${index}`, `content ${index}`.repeat(index % 50)),
    );
    await comesBack(many);
  });

  it('brings proving files back that are larger than a block', async () => {
    const many = Array.from({ length: 6000 }, (_, index) => file(`uploads/${'n'.repeat(150)}${index}`, ''));
    const { archive, sums } = await comesBack(many);
    const tail = await (await openBytes(pool, archive)).readTail();
    const text = (await textOf(tail.sums)) ?? '';
    expect(text.length).toBeGreaterThan(blockSize);
    expect(text.trimEnd().split('\n')).toHaveLength(sums.length);
  });

  it('brings any tree back', async () => {
    const name = fc
      .oneof(
        fc.constantFrom(...odd),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 10 }),
      )
      .filter((text) => entryPathFault(`s/${text}`) === undefined);
    const path = fc
      .array(name, { minLength: 1, maxLength: 4 })
      .map((segments) => ['s', ...segments].join('/'))
      .filter((text) => entryPathFault(text) === undefined);
    const meta = fc.record({
      mode: fc.integer({ min: 0, max: 0o7777 }),
      mtime: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
      uid: fc.integer({ min: 0, max: 4_294_967_294 }),
      gid: fc.integer({ min: 0, max: 4_294_967_294 }),
    });
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }).map((array) => Buffer.from(array)),
      fc.integer({ min: 0, max: 300_000 }).map((size) => Buffer.alloc(size, 'text')),
    );
    const target = fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }).filter((text) => !text.includes('\0'));
    const sample = fc.oneof(
      fc.tuple(path, bytes, meta).map(([at, content, rest]) => file(at, content, rest)),
      fc.tuple(path, meta).map(([at, rest]) => folder(at, rest)),
      fc.tuple(path, target, meta).map(([at, to, rest]) => link(at, to, rest)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(sample, { maxLength: 40 }), fc.integer({ min: 0, max: 9 }), async (samples, level) => {
        await comesBack(samples, level);
      }),
      { numRuns: 60 },
    );
  });

  it('is the same bytes from the same entries, and the body is what its hash says', async () => {
    const samples = [folder('a'), file('a/b', noise(3 * blockSize)), link('a/c', 'b'), file('a/d', 'x')];
    const first = await writeZip(pool, samples);
    expect((await writeZip(pool, samples)).archive.equals(first.archive)).toBe(true);
    const { archive } = first;
    const sumsRecord = archive.indexOf('SHA256SUMS') - 30;
    const directory = archive.indexOf(Buffer.from([0x50, 0x4b, 1, 2]), sumsRecord);
    const sumsCentral = archive.indexOf('SHA256SUMS', directory) - 46;
    const hash = createHash('sha256');
    hash.update(archive.subarray(0, sumsRecord)).update(archive.subarray(directory, sumsCentral));
    expect(first.bodyHash).toBe(`sha256:${hash.digest('hex')}`);
  });
});
