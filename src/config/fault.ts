import { closest, distance } from 'fastest-levenshtein';

export { mustBe, shown } from '../base/must-be.js';

/** One thing wrong with the configuration: `at` is where (a key's path, a variable, a flag), `says` goes on after it. */
export interface ConfigFault {
  /** `sources.uploads.path`, `exclude[1]`, `BKP_LEVEL`, `--format`; empty for a file as a whole. */
  readonly at: string;
  readonly says: string;
}

const plainKey = /^[A-Za-z_][\w-]*$/;

/** `sources`, `system.brain`, `path` → `sources["system.brain"].path`; a number is a place in a list. */
export function keyPath(keys: readonly (string | number)[]): string {
  return keys.reduce<string>((path, key) => {
    if (typeof key === 'string' && plainKey.test(key)) return path === '' ? key : `${path}.${key}`;
    return `${path}[${JSON.stringify(key)}]`;
  }, '');
}

/** The known word that was probably meant; undefined where none is near. */
export function suggestion(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const lower = word.toLowerCase();
  const nearest = closest(
    lower,
    known.map((each) => each.toLowerCase()),
  );
  const steps = distance(lower, nearest);
  if (steps > 2 || steps >= nearest.length) return undefined;
  return known.find((each) => each.toLowerCase() === nearest);
}

/** A fault for every key of `map` that is not among `known`. */
export function unknownKeys(
  map: Readonly<Record<string, unknown>>,
  known: readonly string[],
  above: readonly string[],
): ConfigFault[] {
  return Object.keys(map)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const meant = suggestion(key, known);
      const help = meant === undefined ? `the keys are ${known.join(', ')}` : `did you mean "${meant}"?`;
      return { at: keyPath([...above, key]), says: `is not a known key: ${help}` };
    });
}

/** What YAML and JSON give for a map of keys: neither a list, nor a date, nor bytes. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  return Object.getPrototypeOf(value) === Object.prototype;
}
