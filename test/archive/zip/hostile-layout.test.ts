import { afterAll, describe, expect, it } from 'vitest';
import { CompressPool } from '../../../src/compress/pool.js';
import { buildZip, type RawEnd, type RawEntry } from '../../helpers/zip-builder.js';
import { noise } from '../tar/archives.js';
import { damageOf, readZip } from './archives.js';
import { between, good, last, zeros } from './neighbours.js';

const pool = new CompressPool(1);
afterAll(() => pool.close());

describe('the layout', () => {
  it('with data before the first entry, between entries or before the central directory is odd', async () => {
    const hidden = Buffer.from('hidden');
    for (const archive of [
      buildZip([{ ...good, gap: hidden }, last]),
      buildZip([good, { ...last, gap: hidden }]),
      buildZip([good, last], { gap: hidden }),
      buildZip([], { gap: hidden }),
    ]) {
      const read = await readZip(pool, archive);
      expect(read.oddities.map(({ id }) => id)).toEqual(['data-between-entries']);
      expect(read.thrown).toBeUndefined();
    }
  });

  it('with an entry that no central record names is odd', async () => {
    expect(await damageOf(pool, buildZip([good, last], { order: [1] }))).toEqual(['data-between-entries']);
  });

  it('with two central records for one local one is an overlap', async () => {
    expect(await damageOf(pool, buildZip([good, last], { order: [0, 1, 1] }))).toContain('entries-overlap');
    const again: RawEntry = { name: 'uploads/other', content: 'good', centralOnly: true, central: { offset: 0 } };
    expect(await damageOf(pool, buildZip([good, again]))).toContain('entries-overlap');
  });

  it('with an entry inside another one is an overlap, and nothing behind it is trusted', async () => {
    const inner = buildZip([{ name: 'uploads/inner', content: 'inner' }]);
    const outer: RawEntry = { name: 'uploads/outer', content: inner };
    const offset = 30 + 'uploads/outer'.length;
    const overlapping: RawEntry = { name: 'uploads/inner', content: 'inner', centralOnly: true, central: { offset } };
    const read = await readZip(pool, buildZip([outer, overlapping]));
    expect(read.thrown?.id).toBe('entries-overlap');
    expect(read.thrown?.path).toBe('uploads/inner');
  });

  it('with thousands of names for the same bytes is refused at the first one', async () => {
    const content = zeros.subarray(0, 1000);
    const kernel: RawEntry = { name: 'uploads/k', content, method: 8 };
    const quoted = Array.from({ length: 2000 }, (_, index): RawEntry => ({
      name: `uploads/${index}`,
      content,
      method: 8,
      centralOnly: true,
      central: { offset: 0 },
    }));
    const read = await readZip(pool, buildZip([kernel, ...quoted]));
    expect(read.thrown?.id).toBe('entries-overlap');
    expect(read.samples.length).toBeLessThanOrEqual(1);
  });

  it('with a local record that is not there ends the list', async () => {
    for (const offset of [1, 40, 9_999_999, 0xfffffffe]) {
      expect(await damageOf(pool, between({ content: 'x', central: { offset } }))).toContain('structure-invalid');
    }
    expect(await damageOf(pool, between({ local: { signature: 0x02014b50 } }))).toEqual(['structure-invalid']);
  });

  it('with a local record longer than the file ends the list', async () => {
    expect(await damageOf(pool, buildZip([good, { ...last, local: { nameLength: 0xffff } }]))).toEqual([
      'structure-invalid',
    ]);
    expect(await damageOf(pool, buildZip([good, { ...last, local: { extraLength: 0xffff } }]))).toEqual([
      'structure-invalid',
    ]);
  });

  it('with central records that are none, or lie about their lengths, is invalid', async () => {
    for (const central of [
      { signature: 0x04034b50 },
      { nameLength: 5 },
      { nameLength: 0xffff },
      { extraLength: 3 },
      { extraLength: 0xffff },
      { commentLength: 1 },
      { commentLength: 0xffff },
    ]) {
      expect([central, await damageOf(pool, between({ content: 'x', central }))]).toEqual([
        central,
        expect.arrayContaining([expect.stringMatching(/structure-invalid|truncated/)]),
      ]);
    }
  });

  it('may have comments in its central records', async () => {
    expect(await damageOf(pool, between({ content: 'x', central: { comment: Buffer.from('why not') } }))).toEqual([]);
  });
});

describe('the end', () => {
  const entries = [good, last];
  const invalid: Readonly<Record<string, RawEnd>> = {
    'counts an entry too few': { entries: 1 },
    'counts none': { entries: 0 },
    'counts differently on this disk': { entriesHere: 1 },
    'lies on another disk': { disk: 1 },
    'has its directory begin too late': { offset: 5000 },
    'has its directory begin behind the file': { offset: 0xfffffff0 },
    'has its directory begin too early': { offset: 0 },
    'has a directory that is too long': { bytes: 5000 },
    'has a directory that is too short': { bytes: 10 },
    'has a directory of no bytes': { bytes: 0 },
    'moves its directory as a whole': { offset: 10, bytes: 200 },
    'leaves a gap behind its directory': { gapBehind: Buffer.from('hidden') },
    'has zip64 values without zip64 records': { entries: 0xffff, offset: 0xffffffff, bytes: 0xffffffff },
    'contradicts its zip64 record': { zip64: {}, entries: 3 },
    'contradicts its zip64 record in the offset': { zip64: {}, offset: 1 },
    'contradicts its zip64 record in the length': { zip64: {}, bytes: 1 },
    'has a zip64 record that counts too many': { zip64: { entries: 3n } },
    'has a zip64 record that counts too few': { zip64: { entries: 1n } },
    'has a zip64 record that counts differently here': { zip64: { entriesHere: 1n } },
    'has a zip64 record whose directory begins elsewhere': { zip64: { offset: 1n } },
    'has a zip64 record whose directory begins beyond everything': { zip64: { offset: 2n ** 63n } },
    'has a zip64 record whose directory is longer': { zip64: { bytes: 2n ** 40n } },
    'has a zip64 record of another length': { zip64: { recordSize: 45n } },
    'has a zip64 record of absurd length': { zip64: { recordSize: 2n ** 64n - 1n } },
    'has a zip64 record that is elsewhere': { zip64: { locatedAt: 0n } },
    'has a zip64 record beyond everything': { zip64: { locatedAt: 2n ** 64n - 1n } },
    'has several disks by its zip64 locator': { zip64: { disks: 2n } },
  };
  for (const [what, end] of Object.entries(invalid)) {
    it(`that ${what} is invalid`, async () => {
      expect(await damageOf(pool, buildZip(entries, end))).toEqual(['structure-invalid']);
    });
  }

  it('that counts an entry too many ends where that would be', async () => {
    expect(await damageOf(pool, buildZip(entries, { entries: 3 }))).toEqual(['truncated']);
  });

  it('that counts more entries than anyone has is refused before they are looked for', async () => {
    for (const count of [10_000_001n, 2n ** 40n, 2n ** 64n - 1n]) {
      expect(await damageOf(pool, buildZip(entries, { zip64: { entries: count } }))).toEqual(['too-many-entries']);
    }
  });

  it('that is followed by anything is told as that', async () => {
    for (const behind of ['x', 'hidden', '\0', noise(70_000), buildZip([]).subarray(0, 10)]) {
      for (const end of [{}, { zip64: {} }, { comment: 'with a comment' }]) {
        const archive = Buffer.concat([buildZip(entries, end), Buffer.from(behind)]);
        expect(await damageOf(pool, archive)).toEqual(['data-after-end']);
      }
    }
  });

  it('that says its comment is longer than it is, or is missing, is cut short', async () => {
    expect(await damageOf(pool, buildZip(entries, { comment: 'abc', commentLength: 4 }))).toEqual(['truncated']);
    expect(await damageOf(pool, buildZip(entries).subarray(0, -1))).toEqual(['truncated']);
    expect(await damageOf(pool, Buffer.alloc(21))).toEqual(['truncated']);
    expect(await damageOf(pool, Buffer.alloc(0))).toEqual(['truncated']);
    expect(await damageOf(pool, Buffer.alloc(500_000))).toEqual(['truncated']);
  });

  it('that says its comment is shorter than it is has something behind it', async () => {
    expect(await damageOf(pool, buildZip(entries, { comment: 'abc', commentLength: 2 }))).toEqual(['data-after-end']);
  });

  it('with another end in its comment has no second meaning', async () => {
    const other = buildZip([{ name: 'uploads/other', content: 'other' }]);
    const ids = await damageOf(pool, buildZip(entries, { comment: other }));
    expect(ids).toEqual(['structure-invalid']);
    const harmless = Buffer.concat([Buffer.from('PK\x05\x06'), Buffer.alloc(30)]);
    expect(await damageOf(pool, buildZip(entries, { comment: harmless }))).toHaveLength(1);
  });

  it('of an archive that was cut off inside a stored zip is not taken for the end of that one', async () => {
    const inner = buildZip(entries);
    const outer = buildZip([{ name: 'uploads/inner.zip', content: inner }, last]);
    const cut = outer.subarray(0, outer.length - 60);
    expect(await damageOf(pool, cut)).toEqual(['truncated']);
    const justBehind = outer.subarray(0, 30 + 'uploads/inner.zip'.length + inner.length);
    expect((await damageOf(pool, justBehind))[0]).toBe('structure-invalid');
  });

  it('of nothing is an empty zip', async () => {
    expect(await readZip(pool, buildZip([]))).toEqual({ samples: [], damaged: [], oddities: [], thrown: undefined });
  });
});

describe('very many entries that are all wrong', () => {
  it('are told in time that grows with their number alone', async () => {
    const bad = Array.from({ length: 60_000 }, (_, index): RawEntry => ({
      name: `../${index}`,
      gap: Buffer.from('x'),
    }));
    const started = performance.now();
    const read = await readZip(pool, buildZip(bad));
    expect(read.oddities.filter(({ id }) => id === 'entry-path-unsafe')).toHaveLength(bad.length);
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});
