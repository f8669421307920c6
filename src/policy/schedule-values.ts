import { entryPathFault } from '../base/entry-path.js';
import type { Container } from '../archive/archive.js';
import { isKeepCount, keepCount } from './retention-policy.js';
import { frequencies, isScheduleName, weekdays, type Frequency, type Weekday } from './schedule.js';
import { isTimeZone } from './time-zone.js';

/** What a column may hold, as "must be …" goes on, and how it is read: undefined where the value is not that. */
export interface ValueRule<T> {
  readonly what: string;
  readonly read: (raw: unknown) => T | undefined;
}

/** Longer texts are not looked at. */
const longestText = 200;

function textRule<T>(what: string, read: (text: string) => T | undefined): ValueRule<T> {
  return { what, read: (raw) => (typeof raw === 'string' && raw.length <= longestText ? read(raw) : undefined) };
}

/** SQLite gives an INTEGER column's text back as text where it is no number; a 64-bit number may come as a bigint. */
function wholeNumber(raw: unknown): number | undefined {
  if (typeof raw === 'string') return /^\d{1,9}$/.test(raw) ? Number(raw) : undefined;
  if (typeof raw === 'bigint') return raw >= 0n && raw <= 999_999_999n ? Number(raw) : undefined;
  return typeof raw === 'number' && Number.isInteger(raw) ? raw : undefined;
}

export const nameRule: ValueRule<string> = textRule(
  'a name of 1 to 32 small letters, digits and "-" that begins with a letter, and not manual, safety or latest',
  (text) => (isScheduleName(text) ? text : undefined),
);

export const frequencyRule: ValueRule<Frequency> = textRule('hourly, daily, weekly or monthly', (text) =>
  frequencies.find((each) => each === text.toLowerCase()),
);

/** `3:30`, `03:30`, and `03:30:00` as a column or a field for times writes it. */
const timePattern = /^(\d{1,2}):(\d\d)(?::00)?$/;

export const timeOfDayRule: ValueRule<string> = textRule('a time between 00:00 and 23:59', (text) => {
  const [, hours, minutes] = timePattern.exec(text) ?? [];
  if (hours === undefined || minutes === undefined || Number(hours) > 23 || Number(minutes) > 59) return undefined;
  return `${hours.padStart(2, '0')}:${minutes}`;
});

const dayNames = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

/** 1 to 7 are the same days to ISO 8601, PHP and cron; 0 is not the same to all of them. */
export const dayOfWeekRule: ValueRule<Weekday> = {
  what: 'mon to sun, monday to sunday, or 1 (Monday) to 7 (Sunday)',
  read: (raw) => {
    const number = wholeNumber(raw);
    if (number !== undefined) return weekdays[number - 1];
    if (typeof raw !== 'string') return undefined;
    const word = raw.toLowerCase();
    return weekdays.find((short, index) => word === short || word === dayNames[index]);
  },
};

export const dayOfMonthRule: ValueRule<number> = {
  what: 'a day from 1 to 31 (in a shorter month its last day)',
  read: (raw) => {
    const number = wholeNumber(raw);
    return number !== undefined && number >= 1 && number <= 31 ? number : undefined;
  },
};

export const timezoneRule: ValueRule<string> = textRule('a time zone such as Europe/Berlin or UTC', (text) =>
  isTimeZone(text) ? text : undefined,
);

export const keepRule: ValueRule<number> = {
  what: keepCount,
  read: (raw) => {
    const number = wholeNumber(raw);
    return isKeepCount(number) ? number : undefined;
  },
};

const scopePattern = /^[^\p{Cc}]{1,200}$/u;
const mostScopes = 100;
const longestList = 10_000;

/** `databases, uploads`, or a JSON list of them. */
export const scopesRule: ValueRule<readonly string[]> = {
  what: 'a list of scopes such as databases,uploads, or ["databases","uploads"]',
  read: (raw) => {
    const list = typeof raw === 'string' && raw.length <= longestList ? scopeList(raw) : raw;
    if (!Array.isArray(list) || list.length === 0 || list.length > mostScopes) return undefined;
    const words = list.map((word: unknown) => (typeof word === 'string' ? word.trim() : ''));
    return words.every((word) => scopePattern.test(word)) ? [...new Set(words)] : undefined;
  },
};

const scopeList = (text: string): unknown => (text.trim().startsWith('[') ? parseJson(text) : text.split(','));

/** Undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export const projectRule: ValueRule<string> = {
  what: 'the name of a folder in snapshots',
  read: (raw) => {
    if (typeof raw !== 'string' || /[/\p{Cc}]/u.test(raw)) return undefined;
    return entryPathFault(raw) === undefined ? raw : undefined;
  },
};

const formats: Readonly<Record<string, Container>> = { zip: 'zip', 'tar.gz': 'tar.gz', tgz: 'tar.gz' };

export const formatRule: ValueRule<Container> = textRule('zip or tar.gz', (text) =>
  Object.hasOwn(formats, text.toLowerCase()) ? formats[text.toLowerCase()] : undefined,
);

export const enabledRule: ValueRule<boolean> = {
  what: '1 or 0',
  read: (raw) => {
    if (typeof raw === 'boolean') return raw;
    const number = wholeNumber(raw);
    return number === 0 || number === 1 ? number === 1 : undefined;
  },
};

/** RFC 3339, or as SQL writes it; without a zone it is UTC, as SQLite's own `datetime('now')` is. */
const instantPattern = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d{1,9})?)(Z|[+-]\d\d:\d\d)?$/;

/** Milliseconds since 1970. */
export const instantRule: ValueRule<number> = textRule('a date and time such as 2026-11-22T14:30:00Z', (text) => {
  const [, date, time, zone] = instantPattern.exec(text) ?? [];
  if (date === undefined || time === undefined) return undefined;
  const local = `${date}T${time}`;
  const [asWritten, instant] = [Date.parse(`${local}Z`), Date.parse(`${local}${zone ?? 'Z'}`)];
  if (Number.isNaN(asWritten) || Number.isNaN(instant)) return undefined;
  // Date.parse takes the 31st of February for a day in March.
  return new Date(asWritten).toISOString().startsWith(local.slice(0, 19)) ? instant : undefined;
});
