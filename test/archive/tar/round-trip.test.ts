import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { entryPathFault } from '../../../src/base/entry-path.js';
import { blockSize } from '../../../src/base/limits.js';
import { CompressPool } from '../../../src/compress/pool.js';
import { body, file, folder, link, manifest, noise, readAll, sha256, write, type Sample } from './archives.js';

const pool = new CompressPool(2);
afterAll(() => pool.close());

async function comesBack(samples: readonly Sample[], level?: number): Promise<void> {
  const written = await write(pool, samples, level);
  const read = await readAll(pool, written.archive);
  expect(read.thrown).toBeUndefined();
  expect(read.oddities).toEqual([]);
  expect(read.damaged).toEqual([]);
  expect(body(read.samples).map((sample) => sample.header)).toEqual(samples.map((sample) => sample.header));
  body(read.samples).forEach((sample, i) => expect(sample.bytes.equals(samples[i]!.bytes)).toBe(true));
  const files = samples.filter(({ header }) => header.kind === 'file');
  expect(written.sums).toEqual(
    files.map(({ header, bytes }) => ({ path: header.path, bytes: bytes.length, sha256: sha256(bytes) })),
  );
  expect(written.proof).toEqual({ bytes: written.archive.length, sha256: sha256(written.archive) });
}

const odd = [
  'with space',
  'quote\'and"',
  'line\nfeed\r',
  'tab\tand=equals=',
  '17 path=uploads/x\n',
  'a\\b',
  'émoji 💾',
  'e\u0301 decomposed',
  '\uFEFFmark',
  'A',
  'a',
  '-rf',
  '~',
  '*?[x]',
  'C:',
  '\u0001\u007f',
  ' ',
  '...',
  'n'.repeat(255),
  'ü'.repeat(127),
];

describe('what the writer writes, the reader reads', () => {
  it('brings odd names back byte for byte, of files, folders and links', async () => {
    await comesBack(
      odd.flatMap((name) =>
        [
          file(`uploads/file ${name}`.slice(0, 8 + 255), `content of ${name}`.slice(0, 40)),
          folder(`snapshots/${name}`),
          link(`config/${name}`, `../${name}/x`),
        ].filter(({ header }) => entryPathFault(header.path) === undefined),
      ),
    );
  });

  it('brings names back at every length around the limits of ustar, as files and as folders', async () => {
    const names = [98, 99, 100, 101, 102, 154, 155, 156, 157, 254, 255].map((length) => 'x'.repeat(length));
    const deep = [99, 100, 101, 156, 240, 256, 257, 600, 4096].map((length) => nested(length));
    await comesBack([...names, ...deep].flatMap((name) => [file(name, name), folder(`${name.slice(0, -1)}y`)]));
  });

  it('brings links back whose targets are long, absolute, not ASCII or look like records', async () => {
    const targets = [
      '.',
      '/etc/passwd',
      'ü',
      'x'.repeat(99),
      'x'.repeat(100),
      'x'.repeat(101),
      'y/'.repeat(2047),
      'a\nb=c\n',
    ];
    await comesBack(targets.map((target, i) => link(`uploads/${i}`, target)));
  });

  it('brings back every kind of mode', async () => {
    const modes = [0, 0o1, 0o400, 0o644, 0o755, 0o1777, 0o2755, 0o4755, 0o7777];
    await comesBack(
      modes.flatMap((mode, i) => [
        file(`f${i}`, 'x', { mode }),
        folder(`d${i}`, { mode }),
        link(`l${i}`, 'x', { mode }),
      ]),
    );
  });

  it('brings times back to the nanosecond, before 1970 and after 2038 too', async () => {
    const times = [
      0n,
      1n,
      -1n,
      999_999_999n,
      -999_999_999n,
      -1_000_000_000n,
      -1_500_000_000n,
      1_700_000_000_123_456_789n,
      (2n ** 31n - 1n) * 1_000_000_000n,
      2n ** 31n * 1_000_000_000n,
      2n ** 63n - 1n,
      -(2n ** 63n),
      1_700_000_000_100_000_000n,
    ];
    await comesBack(
      times.flatMap((mtime, i) => [
        file(`f${i}`, 'x', { mtime }),
        folder(`d${i}`, { mtime }),
        link(`l${i}`, 'x', { mtime }),
      ]),
    );
  });

  it('brings owners and groups back up to four billion', async () => {
    const ids = [0, 1, 65_534, 262_143, 262_144, 2_097_151, 2_097_152, 4_294_967_294];
    await comesBack(ids.map((uid, i) => file(`f${i}`, 'x', { uid, gid: ids[ids.length - 1 - i]! })));
  });

  it('brings files of every size around blocks and members back', async () => {
    const sizes = [
      0,
      1,
      511,
      512,
      513,
      blockSize - 513,
      blockSize - 512,
      blockSize - 1,
      blockSize,
      blockSize + 1,
      5 * blockSize,
    ];
    for (const level of [0, 1, 6]) {
      const compressible = (size: number): Buffer => Buffer.alloc(size, 'a line of text that shrinks well\n');
      await comesBack(
        sizes.flatMap((size) => [file(`n${size}`, noise(size, size)), file(`t${size}`, compressible(size))]),
        level,
      );
    }
  });

  it('brings an archive without entries back', async () => {
    await comesBack([]);
  });

  it('brings any header back', async () => {
    const segment = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
    const path = fc
      .array(segment, { minLength: 1, maxLength: 8 })
      .map((segments) => segments.join('/'))
      .filter((text) => entryPathFault(text) === undefined);
    const id = fc.nat({ max: 2 ** 31 - 1 }).map((n) => n * 2);
    const rest = fc.record({
      mode: fc.nat({ max: 0o7777 }),
      mtime: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      uid: id,
      gid: id,
    });
    const content = fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes));
    const sample = fc.oneof(
      fc.tuple(path, content, rest).map(([name, bytes, more]) => file(name, bytes, more)),
      fc.tuple(path, rest).map(([name, more]) => folder(name, more)),
      fc.tuple(path, path, rest).map(([name, target, more]) => link(name, target, more)),
    );
    const ours = new Set(['SHA256SUMS', 'manifest.json']);
    const samples = fc.array(
      sample.filter(({ header }) => !ours.has(header.path)),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(samples, (list) => comesBack(list)),
      { numRuns: 200 },
    );
  });

  it('writes both proving files, readable alone and in the pass', async () => {
    const { archive, sums } = await write(pool, [file('a', 'b')]);
    const { samples } = await readAll(pool, archive);
    expect(samples.map(({ header }) => header.path)).toEqual(['a', 'SHA256SUMS', 'manifest.json']);
    expect(samples[1]?.bytes.toString()).toBe(`${sums[0]!.sha256}  a\n`);
    expect(samples[2]?.bytes).toEqual(manifest);
    expect(samples[2]?.header).toMatchObject({ mode: 0o644, uid: 0, gid: 0, mtime: 1_700_000_000_000_000_000n });
  });
});

/** A path of `length` bytes in segments of at most 100. */
function nested(length: number): string {
  const segments: string[] = [];
  for (let left = length; left > 0; left -= 101) segments.push('s'.repeat(Math.min(100, left)));
  const path = segments.join('/');
  return path.length === length ? path : `${path}t`;
}
