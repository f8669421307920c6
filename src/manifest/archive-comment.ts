import * as v from 'valibot';
import type { FoundManifest } from './manifest.js';
import { shapeFault } from './parse.js';

/** A zip's comment has at most 65,535 bytes (APPNOTE 4.4.12). */
const maxBytes = 65_535;

type Commented = Pick<
  FoundManifest,
  'id' | 'instance' | 'generatedAt' | 'schedule' | 'project' | 'includes' | 'complete' | 'encryption' | 'sources'
>;

/** What an archive says of itself in clear: by its own word, for display. Nothing else may follow from it. */
export interface ArchiveComment {
  readonly id: string;
  readonly instance?: string | undefined;
  readonly generatedAt: string;
  readonly schedule?: string | null | undefined;
  /** Of the snapshots it holds only this project's. */
  readonly project?: string | null | undefined;
  readonly includes?: readonly string[] | undefined;
  /** Of the sources. */
  readonly scopes?: readonly string[] | undefined;
  readonly complete: boolean;
  readonly encrypted?: boolean | undefined;
  /** Where the passphrase is kept. */
  readonly hint?: string | undefined;
}

/** One JSON line in clear for whoever opens the zip, and for `list` where the manifest is encrypted. */
export function archiveComment(manifest: Commented): string {
  const whole = { ...commentOf(manifest), open: howToOpen(manifest.encryption.enabled) };
  const { includes: _includes, scopes: _scopes, ...withoutLists } = whole;
  const { instance: _instance, hint: _hint, schedule: _schedule, ...least } = withoutLists;
  const lines = [whole, withoutLists, least].map((fields) => JSON.stringify(fields));
  return lines.find((line) => Buffer.byteLength(line) <= maxBytes) ?? '';
}

const howToOpen = (isEncrypted: boolean): string =>
  isEncrypted
    ? '7z x (it asks for the passphrase), then: sha256sum -c SHA256SUMS'
    : 'unzip, then: sha256sum -c SHA256SUMS';

function commentOf(manifest: Commented): { readonly [K in keyof ArchiveComment]: ArchiveComment[K] | undefined } {
  const { id, instance, generatedAt, schedule, project, includes, complete, encryption, sources } = manifest;
  const scopes = [...new Set((sources ?? []).flatMap(({ scope }) => (scope === undefined ? [] : [scope])))];
  const { enabled: encrypted, hint } = encryption;
  const more = { ...(project == null ? {} : { project }), ...(hint === undefined ? {} : { hint }) };
  return { id, instance, generatedAt, schedule, includes, scopes, complete, encrypted, ...more };
}

const text = v.pipe(v.string(), v.maxLength(maxBytes));
const names = v.pipe(v.array(text), v.maxLength(10_000));

const schema = v.object({
  id: text,
  instance: v.optional(text),
  generatedAt: v.pipe(text, v.isoTimestamp()),
  schedule: v.optional(v.nullable(text)),
  project: v.optional(v.nullable(text)),
  includes: v.optional(names),
  scopes: v.optional(names),
  complete: v.boolean(),
  encrypted: v.optional(v.boolean()),
  hint: v.optional(text),
});

/** Undefined where it is none of ours. */
export function parseArchiveComment(comment: string | undefined): ArchiveComment | undefined {
  if (comment === undefined || shapeFault(Buffer.from(comment)) !== undefined) return undefined;
  let raw: unknown;
  try {
    raw = JSON.parse(comment);
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(schema, raw, { abortEarly: true });
  return parsed.success ? parsed.output : undefined;
}

/** What a comment says otherwise than its manifest, which is proven; it may say less. Undefined: nothing. */
export function commentFault(comment: ArchiveComment | undefined, manifest: Commented): string | undefined {
  if (comment === undefined) return 'the archive comment is not the one bkp wrote';
  const expected = commentOf(manifest);
  const told = Object.entries(comment) as [keyof ArchiveComment, unknown][];
  const [key] = told.find(([name, value]) => JSON.stringify(value) !== JSON.stringify(expected[name])) ?? [];
  return key === undefined ? undefined : `the archive comment says another ${key} than the manifest`;
}
