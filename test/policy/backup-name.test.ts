import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  archiveName,
  containerOf,
  formatBackupId,
  freeBackupId,
  parseBackupId,
  withoutEnding,
} from '../../src/policy/backup-name.js';

const origin = fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/);
const time = fc.integer({ min: -62_167_219_200, max: 253_402_300_799 }).map((seconds) => seconds * 1000);
const noon = Date.UTC(2025, 9, 30, 12, 0, 0);

describe('a backup id', () => {
  it('is UTC time and origin', () => {
    expect(formatBackupId({ time: noon, origin: 'daily' })).toBe('20251030T120000Z-daily');
    expect(parseBackupId('20251030T120000Z-daily')).toEqual({ time: noon, origin: 'daily' });
  });

  it('is read back as what it was made of, for every second of four-digit years', () => {
    fc.assert(
      fc.property(time, origin, (when, from) => {
        const id = formatBackupId({ time: when, origin: from });
        expect(parseBackupId(id)).toEqual({ time: when, origin: from });
      }),
      { numRuns: 2000 },
    );
  });

  it('sorts as text in the order of time', () => {
    fc.assert(
      fc.property(time, time, origin, (first, second, from) => {
        const [a, b] = [first, second].map((when) => formatBackupId({ time: when, origin: from }));
        expect(Math.sign(first - second)).toBe(a! < b! ? -1 : a === b ? 0 : 1);
      }),
    );
  });

  it('is formatted again as it was read, or not read at all', () => {
    const digits = (length: number): fc.Arbitrary<string> =>
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length }).map((all) => all.join(''));
    fc.assert(
      fc.property(digits(8), digits(6), origin, (date, clock, from) => {
        const id = `${date}T${clock}Z-${from}`;
        const parsed = parseBackupId(id);
        if (parsed !== undefined) expect(formatBackupId(parsed)).toBe(id);
      }),
      { numRuns: 3000 },
    );
  });

  it('is none for anything else', () => {
    const days = ['20250230', '20250431', '20251301', '20250001', '20250100', '20250229', '19000229'];
    const times = ['240000', '126000', '120060', '235960'];
    const wrong = [
      ...days.map((day) => `${day}T120000Z-daily`),
      ...times.map((clock) => `20251030T${clock}Z-daily`),
      '',
      '20251030T120000Z',
      '20251030T120000Z-',
      '20251030T120000Z-Daily',
      '20251030T120000Z-1st',
      '20251030T120000Z--daily',
      '20251030T120000Z-daily_1',
      `20251030T120000Z-${'a'.repeat(33)}`,
      '20251030T120000Z-daily\n',
      ' 20251030T120000Z-daily',
      '20251030T120000Z-daily.zip',
      '20251030T120000-daily',
      '2025-10-30T12:00:00Z-daily',
      '020251030T120000Z-daily',
      '٢٠٢٥1030T120000Z-daily',
      '../20251030T120000Z-daily',
    ];
    for (const id of wrong) expect([id, parseBackupId(id)]).toEqual([id, undefined]);
    expect(parseBackupId('20240229T235959Z-a')).toBeDefined();
  });
});

describe('a container', () => {
  it('is told by the ending', () => {
    expect(archiveName('x', 'zip')).toBe('x.zip');
    expect(archiveName('x', 'tar.gz')).toBe('x.tar.gz');
    for (const [name, container] of [
      ['x.zip', 'zip'],
      ['a b.tar.gz', 'tar.gz'],
      ['x.tgz', 'tar.gz'],
      ['x.zip.tar.gz', 'tar.gz'],
      ['x.tar.gz.zip', 'zip'],
    ] as const) {
      expect(containerOf(name)).toBe(container);
    }
    for (const name of ['x', 'x.gz', 'x.tar', 'x.zip.sha256', 'x.tar.gz.locked', 'zip', 'x.zip~', '']) {
      expect(containerOf(name)).toBeUndefined();
    }
  });

  it('is taken from a name once', () => {
    expect(['x.zip', 'x.tar.gz', 'x.tgz', 'x.zip.zip', 'x.zip.sha256', 'x.tar', '.zip'].map(withoutEnding)).toEqual([
      'x',
      'x',
      'x',
      'x.zip',
      'x.zip.sha256',
      'x.tar',
      '',
    ]);
  });

  it('and id give the name back, in both containers', () => {
    fc.assert(
      fc.property(time, origin, fc.constantFrom('zip' as const, 'tar.gz' as const), (when, from, container) => {
        const id = formatBackupId({ time: when, origin: from });
        const name = archiveName(id, container);
        expect([withoutEnding(name), containerOf(name)]).toEqual([id, container]);
      }),
    );
  });
});

describe('freeBackupId', () => {
  it('is now, rounded down to the second', () => {
    expect(freeBackupId(noon + 999, 'manual', [])).toBe('20251030T120000Z-manual');
  });

  it('is the next second that no archive has, in either container', () => {
    const taken = ['20251030T120000Z-manual.zip', '20251030T120001Z-manual.tar.gz', '20251030T120003Z-manual.zip'];
    expect(freeBackupId(noon, 'manual', taken)).toBe('20251030T120002Z-manual');
    expect(freeBackupId(noon, 'manual', ['20251030T120000Z-manual.tgz'])).toBe('20251030T120001Z-manual');
  });

  it('is not kept from a second by another origin, or by files that are no archives', () => {
    const others = ['20251030T120000Z-daily.zip', '20251030T120000Z-manual.zip.sha256', 'catalog.db'];
    expect(freeBackupId(noon, 'manual', others)).toBe('20251030T120000Z-manual');
  });

  it('is free whatever is taken', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), fc.constantFrom('.zip', '.tar.gz'), (offsets, ending) => {
        const taken = offsets.map(
          (offset) => `${formatBackupId({ time: noon + offset * 1000, origin: 'a' })}${ending}`,
        );
        const id = freeBackupId(noon, 'a', taken);
        expect(taken).not.toContain(`${id}${ending}`);
        expect(parseBackupId(id)!.time).toBeGreaterThanOrEqual(noon);
        expect(parseBackupId(id)!.time - noon).toBeLessThanOrEqual(new Set(offsets).size * 1000);
      }),
    );
  });
});
