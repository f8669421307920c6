import * as v from 'valibot';
import { cmsSourceTypes } from './cms.js';
import { type ConfigFault, isMap, keyPath, mustBe, suggestion, unknownKeys } from './fault.js';
import { sourceNameFault } from './path-rules.js';
import {
  type ConfigFile,
  type EncryptionEntry,
  encryptionSchema,
  type HooksEntry,
  hooksSchema,
  settingsSchema,
  sourceSchema,
  type SourceEntry,
} from './schema.js';

export type ParsedConfig =
  { readonly ok: true; readonly file: ConfigFile } | { readonly ok: false; readonly faults: readonly ConfigFault[] };

const settingKeys = Object.keys(settingsSchema.entries);
const encryptionKeys = Object.keys(encryptionSchema.entries);
const hookKeys = Object.keys(hooksSchema.entries);
const sourceKeys = Object.keys(sourceSchema.entries);

/** What a file holds → a configuration, or every fault in it. Reads nothing, resolves no path. */
export function parseConfig(raw: unknown): ParsedConfig {
  if (!isMap(raw)) return { ok: false, faults: [{ at: '', says: mustBe('a map of keys', raw) }] };
  const faults = unknownKeys(raw, [...settingKeys, 'encryption', 'hooks', 'sources'], []);
  const settings = validated(settingsSchema, raw, [], faults);
  const encryption = Object.hasOwn(raw, 'encryption') ? parseEncryption(raw['encryption'], faults) : undefined;
  const hooks = Object.hasOwn(raw, 'hooks') ? parseHooks(raw['hooks'], faults) : undefined;
  const sources = Object.hasOwn(raw, 'sources') ? parseSources(raw['sources'], faults) : new Map<string, SourceEntry>();
  if (encryption?.enabled === true && settings?.format === 'tar.gz') {
    faults.push({ at: 'encryption.enabled', says: 'cannot be true with format tar.gz: only a zip can be encrypted' });
  }
  if (faults.length > 0 || settings === undefined) return { ok: false, faults };
  const maps = { ...(encryption === undefined ? {} : { encryption }), ...(hooks === undefined ? {} : { hooks }) };
  return { ok: true, file: { ...settings, ...maps, sources } };
}

function parseEncryption(raw: unknown, faults: ConfigFault[]): EncryptionEntry | undefined {
  if (!isMap(raw)) {
    faults.push({ at: 'encryption', says: 'must be a map of keys (such as enabled and passphraseFile)' });
    return undefined;
  }
  faults.push(...unknownKeys(raw, encryptionKeys, ['encryption']));
  if (Object.hasOwn(raw, 'passphraseFile') && Object.hasOwn(raw, 'passphraseCommand')) {
    const says = 'cannot be given beside passphraseFile: the passphrase comes from one place';
    faults.push({ at: 'encryption.passphraseCommand', says });
  }
  return validated(encryptionSchema, raw, ['encryption'], faults);
}

function parseHooks(raw: unknown, faults: ConfigFault[]): HooksEntry | undefined {
  if (!isMap(raw)) {
    faults.push({ at: 'hooks', says: mustBe('a map of keys (such as beforeRestore and afterRestore)', raw) });
    return undefined;
  }
  faults.push(...unknownKeys(raw, hookKeys, ['hooks']));
  return validated(hooksSchema, raw, ['hooks'], faults);
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
