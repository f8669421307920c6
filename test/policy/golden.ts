import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

const folder = new URL('./golden/', import.meta.url);

/** Compares a text with `golden/<name>.txt`; `UPDATE_GOLDEN=1` writes that file instead, to be read as a diff. */
export function expectGolden(name: string, lines: readonly string[]): void {
  const text = `${lines.join('\n')}\n`;
  const file = new URL(`${name}.txt`, folder);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
}

/** Columns padded to the widest of their cells; the last one is not. */
export function tableOf(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function told(zone: string, options: Intl.DateTimeFormatOptions, instant: number): string {
  const key = JSON.stringify([zone, options]);
  const formatter = formatters.get(key) ?? new Intl.DateTimeFormat('sv-SE', { timeZone: zone, ...options });
  formatters.set(key, formatter);
  return formatter.format(instant);
}

/** `+2`, `-3:30` */
export function offsetText(zone: string, instant: number): string {
  const text = told(zone, { timeZoneName: 'shortOffset' }, instant);
  return text.slice(text.indexOf('GMT') + 3).replace('\u2212', '-') || '+0';
}

/** What the clock shows there, `2026-03-29 03:00`, by Intl alone: so that it can bear witness against the code under test. */
export const clockText = (zone: string, instant: number): string =>
  told(zone, { dateStyle: 'short', timeStyle: 'short' }, instant);

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

/** `Sun 2026-03-29 03:00 +2` */
export function there(zone: string, instant: number): string {
  const clock = clockText(zone, instant);
  const weekday = weekdays[new Date(clock.slice(0, 10)).getUTCDay()]!;
  return `${weekday} ${clock} ${offsetText(zone, instant)}`;
}

export const utc = (text: string): number => {
  const instant = Date.parse(text);
  expect(instant).not.toBeNaN();
  return instant;
};
