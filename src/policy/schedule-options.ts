import * as v from 'valibot';
import { mustBe, shown } from '../base/must-be.js';
import { globFault } from '../fs/globs.js';
import { isKeepCount, keepCount } from './retention-policy.js';
import type { ScheduleFault, ScheduleOptions } from './schedule.js';
import { parseJson } from './schedule-values.js';

const says = (what: string) => (issue: { readonly input: unknown }) => mustBe(what, issue.input);

function line(longest: number) {
  const what = `a text of one line, of at most ${longest} characters`;
  const isLine = (text: string): boolean => text.trim() !== '' && text.length <= longest && !/\p{Cc}/u.test(text);
  return v.exactOptional(v.pipe(v.string(says(what)), v.check(isLine, says(what))));
}

const glob = v.pipe(
  v.string(says('a glob')),
  v.rawCheck(({ dataset, addIssue }) => {
    const fault = dataset.typed ? globFault(dataset.value) : undefined;
    if (fault !== undefined) addIssue({ message: fault });
  }),
);
const mostGlobs = 1000;
const globs = `a list of at most ${mostGlobs} globs`;

const levels = 'a whole number from 0 (store) to 9 (smallest)';
const isLevel = (raw: unknown): boolean => typeof raw === 'number' && Number.isInteger(raw) && raw >= 0 && raw <= 9;

const keep = v.exactOptional(v.custom<number>(isKeepCount, says(keepCount)));

const optionsSchema = v.object({
  encrypt: v.exactOptional(v.boolean(says('true or false'))),
  hint: line(200),
  comment: line(1000),
  level: v.exactOptional(v.custom<number>(isLevel, says(levels))),
  exclude: v.exactOptional(v.pipe(v.array(glob, says(globs)), v.maxLength(mostGlobs, says(globs)))),
  keepHourly: keep,
  keepDaily: keep,
  keepWeekly: keep,
  keepMonthly: keep,
  keepYearly: keep,
} satisfies Record<keyof ScheduleOptions, unknown>);

const known = Object.keys(optionsSchema.entries);
const longestOptions = 100_000;

export interface ParsedOptions {
  /** Empty where there are faults. */
  readonly options: ScheduleOptions;
  readonly faults: readonly ScheduleFault[];
}

/** The column `options`: a JSON object with keys of `ScheduleOptions` and no others, as text or as it is. */
export function parseScheduleOptions(raw: unknown): ParsedOptions {
  const map = typeof raw === 'string' && raw.length <= longestOptions ? parseJson(raw) : raw;
  if (!isMap(map)) return failed([{ at: 'options', says: mustBe('a JSON object such as {"encrypt":true}', raw) }]);
  const unknown = Object.keys(map).filter((key) => !known.includes(key));
  const parsed = v.safeParse(optionsSchema, map);
  if (parsed.success && unknown.length === 0) return { options: parsed.output, faults: [] };
  return failed([
    ...unknown.map((key) => ({ at: 'options', says: `has no key ${shown(key)}: the keys are ${known.join(', ')}` })),
    ...(parsed.issues ?? []).map((issue) => ({ at: placeOf(issue.path ?? []), says: issue.message })),
  ]);
}

const failed = (faults: readonly ScheduleFault[]): ParsedOptions => ({ options: {}, faults });

/** `options.exclude[1]` */
function placeOf(path: readonly { readonly key: unknown }[]): string {
  return path.reduce((at, { key }) => (typeof key === 'number' ? `${at}[${key}]` : `${at}.${String(key)}`), 'options');
}

function isMap(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === 'object' && raw !== null && Object.getPrototypeOf(raw) === Object.prototype;
}
