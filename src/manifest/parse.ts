import * as v from 'valibot';
import { limits } from '../base/limits.js';
import { finding, findingInfo, type Finding, type FindingId } from './findings.js';
import { formatMajor, type FoundManifest } from './manifest.js';

export type ParsedManifest =
  | { readonly kind: 'manifest'; readonly manifest: FoundManifest }
  /** A format this version does not know; its content is not looked at. */
  | { readonly kind: 'newer'; readonly version: string }
  | { readonly kind: 'invalid'; readonly message: string };

const text = v.pipe(v.string(), v.maxLength(65_536));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const hash = v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hexadecimal digits'));
const timestamp = v.pipe(v.string(), v.isoTimestamp('must be an RFC 3339 time'));
const segment = v.pipe(text, v.regex(/^(?!\.{1,2}$)[^/\0]+$/, 'must be one name'));
const nullable = v.optional(v.nullable(text));

const database = v.object({
  pageSize: count,
  pageCount: count,
  journalMode: text,
  userVersion: v.number(),
  applicationId: v.number(),
  schemaHash: text,
  integrity: v.picklist(['ok', 'unchecked']),
  snapshotGroup: count,
});

const source = v.object({
  name: segment,
  type: v.picklist(['sqlite', 'directory', 'files']),
  scope: v.optional(text),
  path: text,
  files: count,
  bytes: count,
  startedAt: v.optional(text),
  finishedAt: v.optional(text),
  sqlite: v.optional(database),
  databases: v.optional(v.record(text, database)),
  links: v.optional(v.array(v.object({ path: text, target: text }))),
});

const isFindingId = (id: string): id is FindingId => Object.hasOwn(findingInfo, id);

/** Findings with ids of a later version keep their kind and text: what it called a loss is one. */
const findings = v.pipe(
  v.array(v.object({ id: text, kind: text, source: v.optional(text), path: v.optional(text), message: text })),
  v.transform((list) =>
    list.map(({ id, kind, source: name, path, message }): Finding => {
      const about = { ...(name === undefined ? {} : { source: name }), ...(path === undefined ? {} : { path }) };
      if (isFindingId(id)) return { id, kind: findingInfo[id].kind, ...about, message };
      return finding(kind === 'note' ? 'unknown-note' : 'unknown-loss', `${message} (${id})`, about);
    }),
  ),
);

/** The contract with the CMS is the first five keys; unknown ones are ignored. */
const manifest = v.object({
  version: text,
  generatedAt: timestamp,
  includes: v.pipe(v.array(segment), v.maxLength(10_000)),
  hash,
  encryption: v.object({ enabled: v.boolean(), algorithm: v.optional(text), hint: v.optional(text) }),
  bodyHash: v.optional(hash),
  id: v.optional(text),
  generator: v.optional(v.object({ name: text, version: text, node: text, platform: text })),
  instance: v.optional(text),
  root: v.optional(text),
  host: v.optional(text),
  schedule: nullable,
  project: nullable,
  comment: nullable,
  complete: v.optional(v.boolean()),
  excludes: v.optional(v.array(text)),
  totals: v.optional(v.object({ files: count, directories: count, links: count, bytes: count })),
  sources: v.optional(v.array(source)),
  findings: v.optional(findings),
});

const versioned = v.object({ version: v.pipe(text, v.regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/)) });

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Parses manifest.json from anywhere: bounded, and never trusted further than its schema. */
export function parseManifest(bytes: Buffer): ParsedManifest {
  const fault = shapeFault(bytes);
  if (fault !== undefined) return { kind: 'invalid', message: fault };
  let raw: unknown;
  try {
    raw = JSON.parse(decoder.decode(bytes));
  } catch {
    return { kind: 'invalid', message: 'it is not JSON in UTF-8' };
  }
  const version = v.safeParse(versioned, raw);
  if (!version.success) return { kind: 'invalid', message: 'it has no valid version' };
  if (Number.parseInt(version.output.version, 10) > formatMajor) {
    return { kind: 'newer', version: version.output.version };
  }
  // Only the first fault is told: millions of them would fill memory.
  const parsed = v.safeParse(manifest, raw, { abortEarly: true });
  if (parsed.success) return { kind: 'manifest', manifest: parsed.output as FoundManifest };
  const [issue] = parsed.issues;
  const at = v.getDotPath(issue) ?? 'the whole';
  return { kind: 'invalid', message: `${at}: ${issue.message}`.slice(0, 500) };
}

const maxNesting = 16;
const maxContainers = 2_000_000;
const maxValues = 8_000_000;

/** Nesting and counts are bounded before JSON.parse makes objects of them: a few bytes of text cost far more as objects. */
export function shapeFault(bytes: Buffer): string | undefined {
  if (bytes.length > limits.maxManifestBytes) return `it is larger than ${limits.maxManifestBytes} bytes`;
  let depth = 0;
  let containers = 0;
  let values = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (inString) {
      if (byte === 0x5c) at += 1;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      containers += 1;
      depth += 1;
      if (depth > maxNesting) return 'it is nested too deeply';
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
    else if (byte === 0x2c) values += 1;
  }
  return containers > maxContainers || values > maxValues ? 'it holds too many values' : undefined;
}
