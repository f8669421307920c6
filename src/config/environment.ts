import * as v from 'valibot';
import type { Container } from '../archive/archive.js';
import { parseDuration } from './duration.js';
import { type ConfigFault, mustBe } from './fault.js';
import { pathFault } from './path-rules.js';
import { formatRule, levelRule } from './schema.js';

/** What may be said outside a configuration file: by a variable, or by a flag. Paths as they were given. */
export interface Overrides {
  readonly root: string | undefined;
  readonly config: string | undefined;
  readonly storage: string | undefined;
  readonly format: Container | undefined;
  readonly level: number | undefined;
  /** Milliseconds. */
  readonly lockWait: number | undefined;
  readonly noInput: boolean | undefined;
  /** By a variable only. */
  readonly readOnly: boolean | undefined;
}

export interface ParsedOverrides {
  readonly values: Overrides;
  readonly faults: readonly ConfigFault[];
}

/** Flags as a command has them: texts as they were typed. */
export interface ConfigFlags {
  readonly root?: string | undefined;
  readonly config?: string | undefined;
  readonly storage?: string | undefined;
  readonly format?: string | undefined;
  readonly level?: string | number | undefined;
  readonly lockWait?: string | undefined;
  readonly noInput?: boolean | undefined;
  readonly passphraseFile?: string | undefined;
  readonly passphraseCommand?: string | undefined;
  /** Read a configuration file that somebody else could have written. */
  readonly allowUnsafeConfig?: boolean | undefined;
}

const variables: Readonly<Record<keyof Overrides, string>> = {
  root: 'BKP_ROOT',
  config: 'BKP_CONFIG',
  storage: 'BKP_STORAGE',
  format: 'BKP_FORMAT',
  level: 'BKP_LEVEL',
  lockWait: 'BKP_LOCK_WAIT',
  noInput: 'BKP_NO_INPUT',
  readOnly: 'BKP_READ_ONLY',
};

const flagNames: Readonly<Record<Exclude<keyof Overrides, 'readOnly'>, string>> = {
  root: '--root',
  config: '--config',
  storage: '--storage',
  format: '--format',
  level: '--level',
  lockWait: '--lock-wait',
  noInput: '--no-input',
};

/** The variables `BKP_…`; an empty one counts as not set. */
export function parseEnvironment(env: Readonly<Record<string, string | undefined>>): ParsedOverrides {
  return parseOverrides(variables, (key) => {
    const raw = env[variables[key]];
    return raw === '' ? undefined : raw;
  });
}

export function parseFlags(flags: ConfigFlags): ParsedOverrides {
  return parseOverrides({ ...flagNames, readOnly: '' }, (key) => (key === 'readOnly' ? undefined : flags[key]));
}

function parseOverrides(
  places: Readonly<Record<keyof Overrides, string>>,
  given: (key: keyof Overrides) => unknown,
): ParsedOverrides {
  const faults: ConfigFault[] = [];
  const read = <T>(key: keyof Overrides, reader: (raw: unknown) => Read<T>): T | undefined => {
    const raw = given(key);
    if (raw === undefined) return undefined;
    const result = reader(raw);
    if (result.ok) return result.value;
    faults.push({ at: places[key], says: result.says });
    return undefined;
  };
  const values: Overrides = {
    root: read('root', readPath),
    config: read('config', readPath),
    storage: read('storage', readPath),
    format: read('format', (raw) => readBy(formatRule, raw)),
    level: read('level', (raw) => readBy(levelRule, typeof raw === 'string' && /^\d+$/.test(raw) ? Number(raw) : raw)),
    lockWait: read('lockWait', readDuration),
    noInput: read('noInput', readSwitch),
    readOnly: read('readOnly', readSwitch),
  };
  return { values, faults };
}

type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly says: string };

function readPath(raw: unknown): Read<string> {
  if (typeof raw !== 'string') return { ok: false, says: mustBe('a path', raw) };
  const says = pathFault(raw);
  return says === undefined ? { ok: true, value: raw } : { ok: false, says };
}

function readDuration(raw: unknown): Read<number> {
  const parsed = parseDuration(raw);
  return parsed.ok ? { ok: true, value: parsed.milliseconds } : parsed;
}

const switches: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...([true, '1', 'yes', 'true', 'on'] as const).map((word) => [word, true] as const),
  ...([false, '0', 'no', 'false', 'off'] as const).map((word) => [word, false] as const),
]);

function readSwitch(raw: unknown): Read<boolean> {
  const value = switches.get(typeof raw === 'string' ? raw.toLowerCase() : raw);
  if (value === undefined) return { ok: false, says: mustBe('1 or 0 (also yes, no, true, false, on, off)', raw) };
  return { ok: true, value };
}

function readBy<Output>(rule: v.GenericSchema<unknown, Output>, raw: unknown): Read<Output> {
  const result = v.safeParse(rule, raw);
  return result.success ? { ok: true, value: result.output } : { ok: false, says: result.issues[0].message };
}
