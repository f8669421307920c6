import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { frequencies, weekdays, type Timing } from '../../src/policy/schedule.js';
import { latestSlot, nextSlot } from '../../src/policy/slots.js';
import { clockText, offsetText, utc } from './golden.js';
import { timing } from './timings.js';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** Halves and quarters of hours, changes by half an hour and at midnight, and zones that changed sides of the date line. */
const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'America/Havana',
  'America/Santiago',
  'Asia/Kathmandu',
  'Asia/Beirut',
  'Australia/Lord_Howe',
  'Antarctica/Troll',
  'Pacific/Chatham',
  'Pacific/Apia',
  'Pacific/Kwajalein',
] as const;

const first = Date.UTC(1973, 0, 1);
const last = Date.UTC(2025, 0, 1);

/** Instants just after a change of the offset, to half a day. */
const changes = new Map(
  zones.map((zone) => {
    const found: number[] = [];
    for (let at = first; at < last; at += 30 * day) {
      if (offsetText(zone, at) === offsetText(zone, at + 30 * day)) continue;
      for (let near = at; near < at + 30 * day; near += day / 2) {
        if (offsetText(zone, near) !== offsetText(zone, near + day / 2)) found.push(near + day / 2);
      }
    }
    return [zone, found] as const;
  }),
);

const anyTiming = fc.record({
  frequency: fc.constantFrom(...frequencies),
  timeOfDay: fc
    .tuple(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 23 })), fc.integer({ min: 0, max: 59 }))
    .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':')),
  dayOfWeek: fc.option(fc.constantFrom(...weekdays)),
  dayOfMonth: fc.option(fc.integer({ min: 1, max: 31 })),
  timezone: fc.constantFrom(...zones),
});

/** A schedule and an instant on a whole minute: anywhere, or within two days of a change of the offset. */
const anyCase = fc
  .tuple(
    anyTiming,
    fc.boolean(),
    fc.nat(),
    fc.integer({ min: -2 * 1440, max: 2 * 1440 }),
    fc.integer({ min: first, max: last }),
  )
  .map(([when, near, which, minutes, anywhere]) => {
    const candidates = changes.get(when.timezone)!;
    const middle = near && candidates.length > 0 ? candidates[which % candidates.length]! + minutes * minute : anywhere;
    return { when, at: Math.floor(middle / minute) * minute };
  });

const wallOf = (zone: string, instant: number): number => Date.parse(`${clockText(zone, instant).replace(' ', 'T')}Z`);

/** Whether a schedule wants the time that a clock shows. */
function isWanted(when: Timing, wall: number): boolean {
  const date = new Date(wall);
  const [hours, minutes] = when.timeOfDay.split(':').map(Number) as [number, number];
  if (date.getUTCMinutes() !== minutes) return false;
  if (when.frequency === 'hourly') return true;
  if (date.getUTCHours() !== hours) return false;
  if (when.frequency === 'weekly') return date.getUTCDay() === (weekdays.indexOf(when.dayOfWeek ?? 'mon') + 1) % 7;
  if (when.frequency === 'daily') return true;
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  return date.getUTCDate() === Math.min(when.dayOfMonth ?? 1, lastDay);
}

/** Slots in (from, to], found by looking at the clock every minute. */
function watched(when: Timing, from: number, to: number): readonly number[] {
  const zone = when.timezone!;
  const slots: number[] = [];
  let shown = -Infinity;
  // A day earlier, so that a repeated hour is known to be one.
  for (let at = from - day; at <= to; at += minute) {
    const wall = wallOf(zone, at);
    // What is shown again is no new time, but to an hourly schedule; what was jumped over is made up for, but to that one.
    const passed = shown === -Infinity || when.frequency === 'hourly' ? wall : shown + minute;
    let wanted = false;
    for (let time = passed; time <= wall; time += minute) wanted ||= isWanted(when, time);
    if (wanted && at > from) slots.push(at);
    shown = Math.max(shown, wall);
  }
  return slots;
}

function walked(when: Timing, from: number, to: number): readonly number[] {
  const slots: number[] = [];
  for (let slot = nextSlot(when, from); slot <= to; slot = nextSlot(when, slot)) slots.push(slot);
  return slots;
}

describe('slots', () => {
  it('are those at which a clock that is watched every minute shows the time, or has jumped over it', () => {
    fc.assert(
      fc.property(anyCase, ({ when, at }) => {
        expect(walked(when, at, at + 2 * day)).toEqual(watched(when, at, at + 2 * day));
      }),
      { numRuns: 120 },
    );
  });

  it('lie around any instant: the latest at or before it, the next after it, none between', () => {
    fc.assert(
      fc.property(anyCase, fc.integer({ min: -day, max: day }), ({ when, at }, shift) => {
        const instant = at + shift;
        const [latest, next] = [latestSlot(when, instant), nextSlot(when, instant)];
        expect(latest).toBeLessThanOrEqual(instant);
        expect(next).toBeGreaterThan(instant);
        expect(nextSlot(when, latest)).toBe(next);
        expect(latestSlot(when, next)).toBe(next);
        expect(latestSlot(when, next - 1)).toBe(latest);
        const longest = { hourly: 2 * hour, daily: 2 * day, weekly: 9 * day, monthly: 33 * day }[when.frequency];
        expect(next - latest).toBeLessThanOrEqual(longest);
      }),
      { numRuns: 2000 },
    );
  });

  it('are as many in a year as there are hours, days, weeks and months, less or more by two', () => {
    fc.assert(
      fc.property(anyCase, ({ when, at }) => {
        const expected = { hourly: 366 * 24, daily: 366, weekly: 52, monthly: 12 }[when.frequency];
        const seen = walked(when, at, at + 366 * day);
        expect(Math.abs(seen.length - expected)).toBeLessThanOrEqual(2);
      }),
      { numRuns: 12 },
    );
  });

  it('come once where the clock goes back over midnight to the day before', () => {
    // At 00:01 clocks in Newfoundland went back to 23:01; 02:40 UTC is in the second pass.
    const [slot, later] = [utc('2006-10-29T02:30:00Z'), utc('2006-10-29T02:40:00Z')];
    expect(clockText('America/St_Johns', later)).toBe('2006-10-28 23:10');
    const midnight = { timeOfDay: '00:00', timezone: 'America/St_Johns' };
    for (const [fields, days] of [
      [{ frequency: 'daily' }, 1],
      [{ frequency: 'weekly', dayOfWeek: 'sun' }, 7],
    ] as const) {
      const when = timing({ ...midnight, ...fields });
      expect(latestSlot(when, later)).toBe(slot);
      expect(nextSlot(when, later)).toBe(slot + days * day + hour);
    }
  });

  it('are there far in the past and in the future, and looking for them ends', () => {
    for (const frequency of frequencies) {
      for (const at of [-62_167_219_200_000, -1, 0, Date.UTC(9999, 11, 31), 8.64e15 - 400 * day]) {
        const when = timing({ frequency });
        expect(latestSlot(when, at)).toBeLessThanOrEqual(at);
        expect(nextSlot(when, at)).toBeGreaterThan(at);
      }
    }
  });
});

describe('without a zone', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('slots are those of the zone of the system', () => {
    const at = utc('2024-10-26T00:00:00Z');
    for (const zone of ['America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe']) {
      vi.stubEnv('TZ', zone);
      for (const frequency of frequencies) {
        const own = timing({ frequency, timeOfDay: '02:15', timezone: null });
        const named = timing({ frequency, timeOfDay: '02:15', timezone: zone });
        expect(walked(own, at, at + 20 * day)).toEqual(walked(named, at, at + 20 * day));
      }
    }
  });
});
