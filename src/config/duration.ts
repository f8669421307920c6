import ms, { type StringValue } from 'ms';
import { mustBe } from './fault.js';

export type ParsedDuration =
  { readonly ok: true; readonly milliseconds: number } | { readonly ok: false; readonly says: string };

interface Longest {
  readonly milliseconds: number;
  readonly says: string;
}

const day = 24 * 60 * 60 * 1000;

/** Longer waits and pauses are typing errors; a timer also overflows beyond 24 days. */
export const longestDuration = 7 * day;
const longestWait: Longest = { milliseconds: longestDuration, says: 'at most seven days (7d)' };

/** Of an age, which nobody waits for. */
export const longestAge: Longest = { milliseconds: 1000 * day, says: 'at most a thousand days (1000d)' };

const bareNumber = /^\d*\.?\d+$/;
const withUnit = /^\d*\.?\d+ ?(ms|s|m|h|d)$/;
const expected = 'a duration such as 250ms, 30s, 5m or 1h (a plain number is seconds)';

/** `30s`, `5m`, `250ms`, `1.5h`; a plain number, or text that is one, is seconds. The result is in whole milliseconds. */
export function parseDuration(raw: unknown, longest = longestWait): ParsedDuration {
  const milliseconds = read(raw);
  if (milliseconds === undefined) return { ok: false, says: mustBe(expected, raw) };
  if (milliseconds > longest.milliseconds) return { ok: false, says: mustBe(longest.says, raw) };
  return { ok: true, milliseconds: Math.round(milliseconds) };
}

function read(raw: unknown): number | undefined {
  if (typeof raw === 'number') return raw >= 0 ? raw * 1000 : undefined;
  if (typeof raw !== 'string' || raw.length > 32) return undefined;
  if (bareNumber.test(raw)) return Number(raw) * 1000;
  return withUnit.test(raw) ? ms(raw as StringValue) : undefined;
}
