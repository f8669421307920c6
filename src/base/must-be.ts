const longestShown = 60;

/** A value as a message shows it: short, on one line, without control characters. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return 'a date (put it in quotes)';
  if (value instanceof Uint8Array) return 'bytes';
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > longestShown ? `${value.slice(0, longestShown)}…` : value);
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      return 'a map of keys';
  }
}

/** "must be …, not …" */
export function mustBe(what: string, value: unknown): string {
  return `must be ${what}, not ${shown(value)}`;
}
