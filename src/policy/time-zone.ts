/** A name of the IANA time zone database (`Europe/Berlin`); null: the system's own zone. */
export type Zone = string | null;

export const hour = 60 * 60 * 1000;
export const day = 24 * hour;

/** `Intl` may also take offsets (`+01:00`), by version: not here, so that every Node takes the same. */
const zoneName = /^[A-Za-z][\w+/-]{0,63}$/;

export function isTimeZone(name: string): boolean {
  if (!zoneName.test(name)) return false;
  try {
    formatterOf(name);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Making one takes longer than thirty uses of it. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const formatter = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  formatters.set(zone, formatter);
  return formatter;
}

/** `GMT`, `GMT-03:30`, and with seconds in the days of local mean time: `GMT-00:44:30`. */
const offsetPattern = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/;
const latest = 8.64e15;

/**
 * How far clocks of the zone are ahead of UTC at an instant; both in milliseconds. Throws a `RangeError` where the zone is
 * not known.
 */
export function offsetAt(zone: Zone, instant: number): number {
  const date = new Date(Math.max(-latest, Math.min(instant, latest)));
  if (zone === null) return date.getTimezoneOffset() * -60_000;
  const text = formatterOf(zone).format(date);
  const [found, sign, hours, minutes, seconds] = offsetPattern.exec(text) ?? [];
  if (found === undefined) throw new TypeError(`no offset in ${JSON.stringify(text)}`);
  const size = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60 + Number(seconds ?? 0);
  return (sign === '-' ? -size : size) * 1000;
}

/** What a clock on the wall shows: milliseconds since 1970 as if that time were UTC. */
export function wallTime(zone: Zone, instant: number): number {
  return instant + offsetAt(zone, instant);
}

/** More than any zone was ever away from UTC. */
const furthest = 16 * hour;

/**
 * The first instant at which the clock on the wall shows `wall` or a later time: of an hour that is repeated its first
 * pass, of an hour or day that is skipped the end of the gap.
 */
export function instantOf(zone: Zone, wall: number): number {
  const before = offsetAt(zone, wall - furthest);
  const first = wall - before;
  if (offsetAt(zone, first) === before) return first;
  const after = offsetAt(zone, wall + furthest);
  const second = wall - after;
  // Clocks went back, or the time lies after the gap.
  if (offsetAt(zone, second) === after) return second;
  return changeBetween(zone, second, first, after);
}

/** The instant in (from, to] from which on the offset is `after`. */
function changeBetween(zone: Zone, from: number, to: number, after: number): number {
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(zone, middle) === after) high = middle;
    else low = middle;
  }
  return high;
}
