import { describe, expect, it, onTestFinished } from 'vitest';
import { localSeconds, localTime, recordedTime, systemClock, timestamp } from '../../src/base/clock.js';

describe('timestamp', () => {
  it('is RFC 3339 in UTC with whole seconds, rounded down', () => {
    expect(timestamp(1_761_825_600_999)).toBe('2025-10-30T12:00:00Z');
    expect(timestamp(0)).toBe('1970-01-01T00:00:00Z');
    expect(timestamp(-1)).toBe('1969-12-31T23:59:59Z');
  });
});

function inZone(zone: string): void {
  const before = process.env['TZ'];
  process.env['TZ'] = zone;
  onTestFinished(() => {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  });
}

describe('times for people', () => {
  const [winter, summer] = [Date.parse('2026-11-29T03:00:07Z'), Date.parse('2026-06-29T23:30:00Z')];

  it.each([
    ['UTC', '2026-11-29 03:00 UTC', '2026-06-29 23:30 UTC'],
    ['Europe/Berlin', '2026-11-29 04:00 UTC+1', '2026-06-30 01:30 UTC+2'],
    ['Asia/Kolkata', '2026-11-29 08:30 UTC+5:30', '2026-06-30 05:00 UTC+5:30'],
    ['America/St_Johns', '2026-11-28 23:30 UTC-3:30', '2026-06-29 21:00 UTC-2:30'],
  ])('are those of the clock on the wall, with what it is before UTC: %s', (zone, inWinter, inSummer) => {
    inZone(zone);
    expect([localTime(winter), localTime(summer)]).toEqual([inWinter, inSummer]);
    expect(localSeconds(winter)).toBe(`${inWinter.slice(11, 16)}:07`);
    expect(recordedTime('2026-11-29T03:00:07Z')).toBe(inWinter);
  });

  it('are a question mark outside the years that can be written, and what was recorded stays as it is', () => {
    inZone('Pacific/Kiritimati');
    expect([253_402_300_799_999, -62_167_219_200_001 - 14 * 3_600_000, NaN, 1e300].map(localTime)).toEqual([
      ...['?', '?', '?', '?'],
    ]);
    expect(recordedTime('long ago')).toBe('long ago');
  });
});

describe('systemClock', () => {
  it('tells wall time, and a time that never goes back', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
    const first = systemClock.monotonic();
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(first);
  });
});
