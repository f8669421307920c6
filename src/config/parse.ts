import * as v from 'valibot';
import { cmsSourceTypes } from './cms.js';
import { type ConfigFault, isMap, keyPath, mustBe, suggestion, unknownKeys } from './fault.js';
import { sourceNameFault } from './path-rules.js';
import {
  type ConfigFile,
  encryptionSchema,
  hooksSchema,
  notifySchema,
  retentionSchema,
  settingsSchema,
  sourceSchema,
  type SourceEntry,
} from './schema.js';

export type ParsedConfig =
  { readonly ok: true; readonly file: ConfigFile } | { readonly ok: false; readonly faults: readonly ConfigFault[] };

const settingKeys = Object.keys(settingsSchema.entries);
/** Keys that hold a map of further keys: their schema, and keys for an example. */
const maps = {
  encryption: { schema: encryptionSchema, such: 'enabled and passphraseFile' },
  hooks: { schema: hooksSchema, such: 'beforeRestore and afterRestore' },
  retention: { schema: retentionSchema, such: 'keepLast and keepDaily' },
  notify: { schema: notifySchema, such: 'url' },
} as const;
const sourceKeys = Object.keys(sourceSchema.entries);

/** What a file holds → a configuration, or every fault in it. Reads nothing, resolves no path. */
export function parseConfig(raw: unknown): ParsedConfig {
  if (!isMap(raw)) return { ok: false, faults: [{ at: '', says: mustBe('a map of keys', raw) }] };
  const faults = unknownKeys(raw, [...settingKeys, ...Object.keys(maps), 'sources'], []);
  const settings = validated(settingsSchema, raw, [], faults);
  const nested = {
    ...parseMap('encryption', raw, faults),
    ...parseMap('hooks', raw, faults),
    ...parseMap('retention', raw, faults),
    ...parseMap('notify', raw, faults),
  };
  const sources = Object.hasOwn(raw, 'sources') ? parseSources(raw['sources'], faults) : new Map<string, SourceEntry>();
  onePassphrase(raw['encryption'], faults);
  if (nested.encryption?.enabled === true && settings?.format === 'tar.gz') {
    faults.push({ at: 'encryption.enabled', says: 'cannot be true with format tar.gz: only a zip can be encrypted' });
  }
  if (faults.length > 0 || settings === undefined) return { ok: false, faults };
  return { ok: true, file: { ...settings, ...nested, sources } };
}

function onePassphrase(encryption: unknown, faults: ConfigFault[]): void {
  if (!isMap(encryption)) return;
  if (!Object.hasOwn(encryption, 'passphraseFile') || !Object.hasOwn(encryption, 'passphraseCommand')) return;
  const says = 'cannot be given beside passphraseFile: the passphrase comes from one place';
  faults.push({ at: 'encryption.passphraseCommand', says });
}

type Maps = typeof maps;

/** The key with what it holds; nothing where it is not given. */
function parseMap<Key extends keyof Maps>(
  key: Key,
  raw: Readonly<Record<string, unknown>>,
  faults: ConfigFault[],
): { readonly [K in Key]?: v.InferOutput<Maps[K]['schema']> } {
  if (!Object.hasOwn(raw, key)) return {};
  const { schema, such } = maps[key];
  const value = raw[key];
  if (!isMap(value)) {
    // A secret may stand in the wrong place.
    const what = `a map of keys (such as ${such})`;
    faults.push({ at: key, says: key === 'encryption' ? `must be ${what}` : mustBe(what, value) });
    return {};
  }
  faults.push(...unknownKeys(value, Object.keys(schema.entries), [key]));
  const found: unknown = validated(schema, value, [key], faults);
  return (found === undefined ? {} : { [key]: found }) as { readonly [K in Key]?: v.InferOutput<Maps[K]['schema']> };
}

function parseSources(raw: unknown, faults: ConfigFault[]): ReadonlyMap<string, SourceEntry> {
  const sources = new Map<string, SourceEntry>();
  if (!isMap(raw)) {
    faults.push({ at: 'sources', says: mustBe('a map from name to source', raw) });
    return sources;
  }
  // Not valibot's `record`: it leaves out `__proto__` and `constructor` without a word.
  for (const [name, value] of Object.entries(raw)) {
    const entry = parseSource(name, value, faults);
    if (entry !== undefined) sources.set(name, entry);
  }
  return sources;
}

function parseSource(name: string, raw: unknown, faults: ConfigFault[]): SourceEntry | undefined {
  const above = ['sources', name];
  const nameFault = sourceNameFault(name);
  if (nameFault !== undefined) faults.push({ at: keyPath(above), says: nameFault });
  if (!isMap(raw)) {
    faults.push({ at: keyPath(above), says: mustBe('a map of keys (such as type and path)', raw) });
    return undefined;
  }
  faults.push(...unknownKeys(raw, sourceKeys, above), ...misplacedFields(name, raw, above));
  return validated(sourceSchema, raw, above, faults);
}

/** Which fields a type has beside scope and enabled. */
const fieldsOf = {
  sqlite: { needs: 'path', mayHave: [] },
  directory: { needs: 'path', mayHave: ['exclude'] },
  files: { needs: 'paths', mayHave: [] },
} as const satisfies Record<string, { needs: string; mayHave: readonly string[] }>;

function misplacedFields(
  name: string,
  raw: Readonly<Record<string, unknown>>,
  above: readonly string[],
): ConfigFault[] {
  const defaultType = cmsSourceTypes.get(name);
  const type = Object.hasOwn(raw, 'type') ? raw['type'] : defaultType;
  if (type === undefined) {
    const meant = suggestion(name, [...cmsSourceTypes.keys()]);
    const help = meant === undefined ? '' : `; or did you mean the source "${meant}"?`;
    return [{ at: keyPath([...above, 'type']), says: `must be given: sqlite, directory or files${help}` }];
  }
  // Any other type is the schema's to refuse.
  if (type !== 'sqlite' && type !== 'directory' && type !== 'files') return [];
  const { needs, mayHave } = fieldsOf[type];
  const allowed: readonly string[] = [needs, ...mayHave];
  const faults = ['path', 'paths', 'exclude']
    .filter((field) => Object.hasOwn(raw, field) && !allowed.includes(field))
    .map((field) => ({
      at: keyPath([...above, field]),
      says: `is not a key of a source of type ${type}, which has ${allowed.join(' and ')}`,
    }));
  if (!Object.hasOwn(raw, needs) && type !== defaultType) {
    faults.push({ at: keyPath([...above, needs]), says: `must be given for a source of type ${type}` });
  }
  return faults;
}

type AnySchema = v.GenericSchema;

/** The value as the schema has it, or undefined after adding its faults. */
function validated<const Schema extends AnySchema>(
  schema: Schema,
  raw: Readonly<Record<string, unknown>>,
  above: readonly string[],
  faults: ConfigFault[],
): v.InferOutput<Schema> | undefined {
  const result = v.safeParse(schema, raw);
  if (result.success) return result.output;
  for (const issue of result.issues) {
    const keys = (issue.path ?? []).map((step) => (typeof step.key === 'number' ? step.key : String(step.key)));
    faults.push({ at: keyPath([...above, ...keys]), says: issue.message });
  }
  return undefined;
}
