import { it } from 'vitest';
import type { Timing } from '../../src/policy/schedule.js';
import { nextSlot } from '../../src/policy/slots.js';
import { expectGolden, offsetText, tableOf, there, utc } from './golden.js';
import { timing } from './timings.js';

const hour = 60 * 60 * 1000;

/** `26h30`, `28d`: how long after the one before. */
function distance(milliseconds: number): string {
  const minutes = milliseconds / 60_000;
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  if (hours >= 48 && hours % 24 === 0 && rest === 0) return `${hours / 24}d`;
  return `${hours}h${rest === 0 ? '' : String(rest).padStart(2, '0')}`;
}

function walk(when: Timing, from: number, to: number): readonly number[] {
  const slots: number[] = [];
  for (let slot = nextSlot(when, from - 1); slot < to; slot = nextSlot(when, slot)) slots.push(slot);
  return slots;
}

const usual = { hourly: hour, daily: 24 * hour, weekly: 7 * 24 * hour, monthly: undefined };

/** The slots of a span at which the distance or the zone's offset changes, with their neighbours; all monthly ones. */
function slotTable(when: Timing, from: string, to: string): readonly string[] {
  const zone = when.timezone!;
  const slots = walk(when, utc(from), utc(to));
  const isOdd = (index: number): boolean => {
    const [before, slot] = [slots[index - 1], slots[index]];
    if (before === undefined || slot === undefined) return index === 0;
    return slot - before !== usual[when.frequency] || offsetText(zone, slot) !== offsetText(zone, before);
  };
  const rows = slots.flatMap((slot, index) => {
    if (![index - 1, index, index + 1].some(isOdd)) return [];
    const before = slots[index - 1];
    const after = before === undefined ? '' : distance(slot - before);
    return [[there(zone, slot), `${new Date(slot).toISOString().slice(0, 16)}Z`, after]];
  });
  const on = when.dayOfWeek ?? when.dayOfMonth;
  const title = `${when.frequency}${on === null ? '' : ` on ${on}`} at ${when.timeOfDay} in ${zone}`;
  return [
    `${title}: ${slots.length} slots from ${from.slice(0, 10)} to ${to.slice(0, 10)}`,
    '',
    ...tableOf([['THERE', 'UTC', 'AFTER'], ...rows]),
  ];
}

const years: Readonly<Record<string, readonly Partial<Timing>[]>> = {
  hourly: [
    { timezone: 'Europe/Berlin', timeOfDay: '00:30' },
    { timezone: 'America/New_York', timeOfDay: '23:00' },
    { timezone: 'Asia/Kathmandu', timeOfDay: '00:10' },
    { timezone: 'Australia/Lord_Howe', timeOfDay: '00:15' },
    { timezone: 'Australia/Lord_Howe', timeOfDay: '00:45' },
  ],
  daily: [
    { timezone: 'Europe/Berlin', timeOfDay: '01:59' },
    { timezone: 'Europe/Berlin', timeOfDay: '02:00' },
    { timezone: 'Europe/Berlin', timeOfDay: '02:30' },
    { timezone: 'Europe/Berlin', timeOfDay: '03:00' },
    { timezone: 'America/New_York', timeOfDay: '01:30' },
    { timezone: 'America/New_York', timeOfDay: '02:30' },
    { timezone: 'America/St_Johns', timeOfDay: '00:00' },
    { timezone: 'Asia/Kathmandu', timeOfDay: '00:00' },
    { timezone: 'Asia/Beirut', timeOfDay: '00:30' },
  ],
  weekly: [
    { timezone: 'Europe/Berlin', dayOfWeek: 'sun', timeOfDay: '02:30' },
    { timezone: 'America/New_York', dayOfWeek: 'fri', timeOfDay: '23:45' },
    { timezone: 'Pacific/Chatham', timeOfDay: '00:00' },
  ],
  monthly: [
    { timezone: 'Europe/Berlin', dayOfMonth: 31, timeOfDay: '02:30' },
    { timezone: 'America/New_York', dayOfMonth: 30, timeOfDay: '00:00' },
    { timezone: 'Asia/Kathmandu', timeOfDay: '03:30' },
  ],
};

it.each(Object.keys(years))('the %s slots of a leap year are those of its golden file', (frequency) => {
  const lines = years[frequency]!.flatMap((fields) => [
    ...slotTable(
      timing({ ...fields, frequency: frequency as Timing['frequency'] }),
      '2023-12-01T00:00:00Z',
      '2024-12-01T00:00:00Z',
    ),
    '',
  ]);
  expectGolden(`slots-${frequency}`, lines.slice(0, -1));
});

it('a day that a zone skips has its slot at the end of the gap: golden/slots-day-skipped.txt', () => {
  const span = ['2011-12-27T00:00:00Z', '2012-02-01T00:00:00Z'] as const;
  const timezone = 'Pacific/Apia';
  const all: readonly Partial<Timing>[] = [
    { frequency: 'daily' },
    { frequency: 'daily', timeOfDay: '00:00' },
    { frequency: 'weekly', dayOfWeek: 'fri' },
    { frequency: 'monthly', dayOfMonth: 30 },
  ];
  const lines = all.flatMap((fields) => [...slotTable(timing({ ...fields, timezone }), ...span), '']);
  expectGolden('slots-day-skipped', lines.slice(0, -1));
});
