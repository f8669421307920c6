import * as v from 'valibot';
import type { Container } from '../archive/archive.js';
import type { HookCommand } from '../system/hooks.js';
import { parsePingUrl } from '../system/notify.js';
import { commandFault, wordFault } from './command-rules.js';
import { parseDuration } from './duration.js';
import { mustBe } from './fault.js';
import { globFault, pathFault } from './path-rules.js';
import { oneLine, oneLineFault } from './text-rules.js';

/** valibot asks for a message with the issue at hand: every rule here answers with "must be …, not …". */
const says = (what: string) => (issue: { readonly input: unknown }) => mustBe(what, issue.input);

function textWith(what: string, faultOf: (value: string) => string | undefined) {
  return v.pipe(
    v.string(says(what)),
    v.rawCheck(({ dataset, addIssue }) => {
      const fault = dataset.typed ? faultOf(dataset.value) : undefined;
      if (fault !== undefined) addIssue({ message: fault });
    }),
  );
}

const text = textWith(oneLine, oneLineFault);
const path = textWith('a path', pathFault);
const glob = textWith('a glob', globFault);
const globs = v.array(glob, says('a list of globs'));

export const containers = ['zip', 'tar.gz'] as const satisfies readonly Container[];
export const formatRule = v.picklist(containers, says('zip or tar.gz'));

const levels = 'a whole number from 0 (store) to 9 (smallest)';
export const levelRule = v.pipe(
  v.number(says(levels)),
  v.integer(says(levels)),
  v.minValue(0, says(levels)),
  v.maxValue(9, says(levels)),
);

/** Milliseconds, or `none`: any pause is accepted. */
const pauseRule = v.pipe(
  v.unknown(),
  v.rawTransform<unknown, number | 'none'>(({ dataset, addIssue, NEVER }) => {
    if (dataset.value === 'none') return 'none';
    const parsed = parseDuration(dataset.value);
    if (parsed.ok) return parsed.milliseconds;
    addIssue({ message: `${parsed.says}; "none" accepts any pause` });
    return NEVER;
  }),
);

/**
 * The keys of a file but `encryption`, `hooks` and `sources`. Objects are not `strictObject`: that reports only the first
 * unknown key, so `parse.ts` looks for unknown keys itself, from these same entries, before anything is validated.
 */
export const settingsSchema = v.object({
  instance: v.exactOptional(text),
  root: v.exactOptional(path),
  storage: v.exactOptional(path),
  format: v.exactOptional(formatRule),
  level: v.exactOptional(levelRule),
  exclude: v.exactOptional(globs),
  maxPause: v.exactOptional(pauseRule),
  copies: v.exactOptional(v.array(path, says('a list of folders'))),
  readOnly: v.exactOptional(v.boolean(says('true or false'))),
});

const wordList = (tell: typeof says) =>
  v.pipe(
    v.array(textWith('a word of the command (put it in quotes)', wordFault), tell('a list of words')),
    v.check((list) => list[0]?.trim() !== '' && list.length > 0, tell('a list of words that begins with a program')),
  );
const words = wordList(says);

/** For what may be a secret in the wrong place: without what was written. */
const saysOnly = (what: string) => () => `must be ${what}`;

/** The keys of `encryption`. */
export const encryptionSchema = v.object({
  enabled: v.exactOptional(v.boolean(says('true or false'))),
  passphraseFile: v.exactOptional(path),
  passphraseCommand: v.exactOptional(wordList(saysOnly)),
  hint: v.exactOptional(text),
});

const commandText = textWith('a command (a text for the shell, or a list of words)', commandFault);
/** Not a union: its faults would not tell which of the two was meant. */
const commandRule: v.GenericSchema<unknown, HookCommand> = v.lazy((raw) => (Array.isArray(raw) ? words : commandText));

/** Milliseconds. */
const timeoutRule = v.pipe(
  v.unknown(),
  v.rawTransform<unknown, number>(({ dataset, addIssue, NEVER }) => {
    const parsed = parseDuration(dataset.value);
    if (parsed.ok && parsed.milliseconds > 0) return parsed.milliseconds;
    addIssue({ message: parsed.ok ? mustBe('longer than nothing', dataset.value) : parsed.says });
    return NEVER;
  }),
);

/** The keys of `hooks`. */
export const hooksSchema = v.object({
  beforeCreate: v.exactOptional(commandRule),
  afterCreate: v.exactOptional(commandRule),
  beforeRestore: v.exactOptional(commandRule),
  afterRestore: v.exactOptional(commandRule),
  onFailure: v.exactOptional(commandRule),
  finally: v.exactOptional(commandRule),
  timeout: v.exactOptional(timeoutRule),
});

const counts = 'a whole number from 1 to 9999';
const countRule = v.pipe(
  v.number(says(counts)),
  v.integer(says(counts)),
  v.minValue(1, says(counts)),
  v.maxValue(9999, says(counts)),
);

/** The keys of `retention`. */
export const retentionSchema = v.object({
  keepLast: v.exactOptional(countRule),
  keepHourly: v.exactOptional(countRule),
  keepDaily: v.exactOptional(countRule),
  keepWeekly: v.exactOptional(countRule),
  keepMonthly: v.exactOptional(countRule),
  keepYearly: v.exactOptional(countRule),
});

/** Not shown where it is refused: it may hold a secret. */
const pingUrl = v.pipe(
  v.string(says('a URL')),
  v.check((value) => parsePingUrl(value) !== undefined, 'must be a http or https URL, and is none'),
);

/** The keys of `notify`. */
export const notifySchema = v.object({ url: pingUrl, timeout: v.exactOptional(timeoutRule) }, 'must be given');

export const sourceTypes = ['sqlite', 'directory', 'files'] as const;

/** One entry of `sources`: a source of its own, or the fields that differ from a default one of the same name. */
export const sourceSchema = v.object({
  type: v.exactOptional(v.picklist(sourceTypes, says('sqlite, directory or files'))),
  path: v.exactOptional(path),
  paths: v.exactOptional(v.pipe(v.array(glob, says('a list of paths')), v.minLength(1, says('at least one path')))),
  scope: v.exactOptional(text),
  enabled: v.exactOptional(v.boolean(says('true or false'))),
  exclude: v.exactOptional(globs),
});

export type Settings = v.InferOutput<typeof settingsSchema>;
export type EncryptionEntry = Readonly<v.InferOutput<typeof encryptionSchema>>;
export type HooksEntry = Readonly<v.InferOutput<typeof hooksSchema>>;
export type RetentionEntry = Readonly<v.InferOutput<typeof retentionSchema>>;
export type NotifyEntry = Readonly<v.InferOutput<typeof notifySchema>>;
export type SourceEntry = Readonly<v.InferOutput<typeof sourceSchema>>;

/** A configuration file as it was written: defaults not yet filled in, paths still relative. */
export interface ConfigFile extends Readonly<Settings> {
  readonly encryption?: EncryptionEntry;
  readonly hooks?: HooksEntry;
  readonly retention?: RetentionEntry;
  readonly notify?: NotifyEntry;
  /** In the order of the file. */
  readonly sources: ReadonlyMap<string, SourceEntry>;
}
