import { expect, it } from 'vitest';
import { instantOf, isTimeZone, offsetAt, wallTime } from '../../src/policy/time-zone.js';
import { utc } from './golden.js';

const hour = 60 * 60 * 1000;

it('knows the offset of a zone at an instant, to the second', () => {
  const cases: readonly [string, string, number][] = [
    ['UTC', '2024-07-01T00:00:00Z', 0],
    ['Europe/London', '2024-01-01T00:00:00Z', 0],
    ['Europe/Berlin', '2024-03-31T00:59:59Z', 1],
    ['Europe/Berlin', '2024-03-31T01:00:00Z', 2],
    ['America/St_Johns', '2024-01-01T00:00:00Z', -3.5],
    ['Asia/Kathmandu', '2024-01-01T00:00:00Z', 5.75],
    ['Pacific/Kiritimati', '2024-01-01T00:00:00Z', 14],
    ['Etc/GMT+12', '2024-01-01T00:00:00Z', -12],
    ['Africa/Monrovia', '1971-01-01T00:00:00Z', -(44 * 60 + 30) / 3600],
    ['europe/berlin', '2024-07-01T00:00:00Z', 2],
  ];
  for (const [zone, at, hours] of cases) expect([zone, at, offsetAt(zone, utc(at)) / hour]).toEqual([zone, at, hours]);
});

it('turns a time on the wall into the first instant at which a clock shows it, or a later one', () => {
  const cases: readonly [string, string, string][] = [
    ['Europe/Berlin', '2024-03-31T01:59:59Z', '2024-03-31T00:59:59Z'],
    ['Europe/Berlin', '2024-03-31T02:00:00Z', '2024-03-31T01:00:00Z'],
    ['Europe/Berlin', '2024-03-31T02:59:59Z', '2024-03-31T01:00:00Z'],
    ['Europe/Berlin', '2024-03-31T03:00:00Z', '2024-03-31T01:00:00Z'],
    ['Europe/Berlin', '2024-03-31T03:00:01Z', '2024-03-31T01:00:01Z'],
    ['Europe/Berlin', '2024-10-27T01:59:59Z', '2024-10-26T23:59:59Z'],
    ['Europe/Berlin', '2024-10-27T02:00:00Z', '2024-10-27T00:00:00Z'],
    ['Europe/Berlin', '2024-10-27T02:59:59Z', '2024-10-27T00:59:59Z'],
    ['Europe/Berlin', '2024-10-27T03:00:00Z', '2024-10-27T02:00:00Z'],
    ['Pacific/Apia', '2011-12-30T12:00:00Z', '2011-12-30T10:00:00Z'],
  ];
  for (const [zone, wall, instant] of cases) {
    expect([zone, wall, new Date(instantOf(zone, utc(wall))).toISOString()]).toEqual([
      zone,
      wall,
      instant.replace('Z', '.000Z'),
    ]);
  }
});

it('takes an instant to the wall and back, in every zone there is, but for the second pass of an hour', () => {
  for (const zone of Intl.supportedValuesOf('timeZone')) {
    for (let at = utc('2023-01-01T00:00:00Z'); at < utc('2024-01-01T00:00:00Z'); at += 17 * 24 * hour + 5 * 60_000) {
      const back = instantOf(zone, wallTime(zone, at));
      expect([zone, wallTime(zone, back)]).toEqual([zone, wallTime(zone, at)]);
      expect(back).toBeLessThanOrEqual(at);
    }
  }
});

it('tells a name that is a zone from one that is not, without throwing', () => {
  for (const name of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5', 'EST5EDT']) {
    expect([name, isTimeZone(name)]).toEqual([name, true]);
  }
  const wrong = ['', 'Berlin', 'Europe/Atlantis', '+01:00', 'UTC+1', 'Z', '../etc/passwd', 'a\0b', 'x'.repeat(10_000)];
  for (const name of wrong) expect([name, isTimeZone(name)]).toEqual([name, false]);
});
