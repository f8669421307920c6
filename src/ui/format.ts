import { counted } from '../base/amounts.js';

export { counted, formatBytes, formatCount } from '../base/amounts.js';

/** Milliseconds: `0.8 s`, `2 min 5 s`, `1 h 3 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const ages = [
  { unit: 'year', seconds: 31_557_600 },
  { unit: 'month', seconds: 2_629_800 },
  { unit: 'day', seconds: 86_400 },
  { unit: 'hour', seconds: 3600 },
  { unit: 'minute', seconds: 60 },
] as const;

/** How long ago, by the largest unit: `3 hours ago`. Both in milliseconds since 1970. */
export function formatAge(time: number, now: number): string {
  const { count, unit } = ageOf(time, now);
  if (unit === undefined) return now >= time ? 'just now' : 'in a moment';
  const text = counted(count, unit);
  return now >= time ? `${text} ago` : `in ${text}`;
}

const shortUnits = { year: 'y', month: 'mo', day: 'd', hour: 'h', minute: 'min' } as const;

/** The same in a column that is called so: `3 h`. */
export function formatShortAge(time: number, now: number): string {
  const { count, unit } = ageOf(time, now);
  const text = unit === undefined ? 'now' : `${count} ${shortUnits[unit]}`;
  return unit === undefined || now >= time ? text : `in ${text}`;
}

function ageOf(time: number, now: number): { readonly count: number; readonly unit?: (typeof ages)[number]['unit'] } {
  const seconds = Math.abs(now - time) / 1000;
  const age = ages.find((one) => seconds >= one.seconds);
  return age === undefined ? { count: 0 } : { count: Math.floor(seconds / age.seconds), unit: age.unit };
}

/** The times that RFC 3339 can write: years 0 to 9999. Milliseconds since 1970. */
const earliest = -62_167_219_200_000;
const latest = 253_402_300_799_999;

/** RFC 3339 in UTC with whole seconds; undefined for a time it cannot write. */
export function formatTime(milliseconds: number): string | undefined {
  if (!(milliseconds >= earliest && milliseconds <= latest)) return undefined;
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/** The same for nanoseconds since 1970, rounded down. */
export function formatEntryTime(nanoseconds: bigint): string | undefined {
  const below = nanoseconds < 0n && nanoseconds % 1_000_000n !== 0n ? 1n : 0n;
  return formatTime(Number(nanoseconds / 1_000_000n - below));
}
