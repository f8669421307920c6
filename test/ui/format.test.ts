import { describe, expect, it } from 'vitest';
import {
  counted,
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  formatEntryTime,
  formatShortAge,
  formatTime,
} from '../../src/ui/format.js';

describe('formats for people', () => {
  it('shows bytes by IEC units', () => {
    const MiB = 1024 * 1024;
    const shown = [0, 1023, 1024, 1536, 99.94 * 1024, 100 * 1024, MiB - 1, MiB, 682 * MiB, 1024 * MiB].map(formatBytes);
    expect(shown).toEqual([
      ...['0 B', '1023 B', '1.0 KiB', '1.5 KiB', '99.9 KiB', '100 KiB', '1.0 MiB', '1.0 MiB', '682 MiB', '1.0 GiB'],
    ]);
    expect(formatBytes(Number.MAX_SAFE_INTEGER)).toBe('8.0 PiB');
  });

  it('counts', () => {
    expect(formatCount(28071)).toBe('28,071');
    expect([0, 999, 1000, 999_999, 1_000_000, 2 ** 53 - 1].map(formatCount)).toEqual([
      '0',
      '999',
      '1,000',
      '999,999',
      '1,000,000',
      '9,007,199,254,740,991',
    ]);
    expect([0, 1, 2].map((count) => counted(count, 'file'))).toEqual(['0 files', '1 file', '2 files']);
    expect(counted(2, 'loss', 'losses')).toBe('2 losses');
  });

  it('shows how long something took', () => {
    expect([0, 840, 59_900, 60_000, 125_000, 3_780_000].map(formatDuration)).toEqual([
      ...['0.0 s', '0.8 s', '59.9 s', '1 min 0 s', '2 min 5 s', '1 h 3 min'],
    ]);
  });

  it('shows an age by its largest unit, and times to come', () => {
    const now = Date.parse('2025-10-30T12:00:00Z');
    const ago = (seconds: number): string => formatAge(now - seconds * 1000, now);
    expect([0, 59, 60, 7200, 86_400 * 3, 86_400 * 45, 86_400 * 800].map(ago)).toEqual([
      ...['just now', 'just now', '1 minute ago', '2 hours ago', '3 days ago', '1 month ago', '2 years ago'],
    ]);
    expect(ago(-7200)).toBe('in 2 hours');
  });
});

describe('times', () => {
  it('are RFC 3339 in UTC, rounded down', () => {
    expect(formatTime(1_761_825_600_999)).toBe('2025-10-30T12:00:00Z');
    expect(formatEntryTime(1_761_825_600_999_999_999n)).toBe('2025-10-30T12:00:00Z');
    expect(formatEntryTime(-1n)).toBe('1969-12-31T23:59:59Z');
    expect(formatEntryTime(0n)).toBe('1970-01-01T00:00:00Z');
  });

  it('are undefined where RFC 3339 cannot write them', () => {
    expect(formatTime(Number.NaN)).toBeUndefined();
    expect(formatTime(Date.parse('9999-12-31T23:59:59.999Z'))).toBe('9999-12-31T23:59:59Z');
    expect(formatTime(253_402_300_800_000)).toBeUndefined();
    expect(formatEntryTime(2n ** 80n)).toBeUndefined();
    expect(formatEntryTime(-(2n ** 80n))).toBeUndefined();
  });

  it('tells ages in a column as short as can be', () => {
    const day = 86_400_000;
    const ages = [0, 59 * 60_000, 23 * 3_600_000, day, 29 * day, 340 * day, 800 * day];
    expect(ages.map((age) => formatShortAge(1e12 - age, 1e12))).toEqual([
      ...['now', '59 min', '23 h', '1 d', '29 d', '11 mo', '2 y'],
    ]);
    expect(formatShortAge(1e12 + day, 1e12)).toBe('in 1 d');
  });
});
