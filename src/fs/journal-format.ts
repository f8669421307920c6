import { isAbsolute, resolve } from 'node:path';
import * as v from 'valibot';
import { BkpError, errorText } from '../base/errors.js';
import type { Identity } from './swap-identity.js';

/** Something new takes the place of something old. Either may be missing. All paths are absolute, on one device. */
export interface ExchangeStep {
  /** `database`: the live path is never absent (hard links); `entry`: a file, folder or link, by two renames. */
  readonly kind: 'database' | 'entry';
  readonly live: string;
  /** Where the old one goes. */
  readonly aside: string;
  /** The private folder of this swap on that device: for what nobody expected. */
  readonly place: string;
  /** What lay at `live`. */
  readonly old?: Identity;
  readonly new?: { readonly staged: string; readonly identity: Identity };
}

/** Something in an old tree moves into the new one that took its place: from `aside` to `live`. */
export interface CarryStep {
  readonly kind: 'carry';
  readonly live: string;
  readonly aside: string;
  readonly place: string;
  readonly old: Identity;
  /** Permission bits of the folders it lies in, the old one and the new one, where their owner may not write to them. */
  readonly sealed?: { readonly old?: number; readonly new?: number };
}

export type Step = ExchangeStep | CarryStep;

const formatName = 'bkp-swap-journal';
const formatVersion = 1;

const mode = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0o7777));
const decimal = v.pipe(v.string(), v.regex(/^-?[0-9]{1,20}$/, 'must be a decimal number'));
const path = v.pipe(
  v.string(),
  v.check((text) => isAbsolute(text) && resolve(text) === text && !text.includes('\0'), 'must be an absolute path'),
);
const identity = v.strictObject({
  kind: v.picklist(['file', 'folder', 'link', 'other']),
  dev: decimal,
  ino: decimal,
  size: decimal,
  mtime: decimal,
  sealed: v.exactOptional(mode),
});
const sealed = v.strictObject({ old: v.exactOptional(mode), new: v.exactOptional(mode) });
const places = { live: path, aside: path, place: path };
const step = v.variant('kind', [
  v.strictObject({
    kind: v.picklist(['database', 'entry']),
    ...places,
    old: v.exactOptional(identity),
    new: v.exactOptional(v.strictObject({ staged: path, identity })),
  }),
  v.strictObject({ kind: v.literal('carry'), ...places, old: identity, sealed: v.exactOptional(sealed) }),
]);
const versioned = v.object({ format: v.literal(formatName), version: v.pipe(v.number(), v.safeInteger()) });
const journal = v.strictObject({
  format: v.literal(formatName),
  version: v.literal(formatVersion),
  steps: v.array(step),
});

export function serializeSteps(steps: readonly Step[]): Buffer {
  const lines = steps.map((one) => `\n${JSON.stringify(one)}`).join(',');
  return Buffer.from(`{"format":"${formatName}","version":${formatVersion},"steps":[${lines}\n]}\n`);
}

/** Throws `journal-damaged`, or `format-newer` for one of a later version. `file` is for messages. */
export function parseSteps(bytes: Buffer, file: string): readonly Step[] {
  const raw = parseJson(bytes, file);
  const head = v.safeParse(versioned, raw);
  if (head.success && head.output.version > formatVersion) {
    throw new BkpError('format-newer', `${file} was written by a newer bkp (version ${head.output.version})`, {
      path: file,
      hint: 'Finish that restore with the bkp that began it; nothing was touched.',
    });
  }
  const parsed = v.safeParse(journal, raw);
  if (parsed.success) return parsed.output.steps;
  const [issue] = parsed.issues;
  throw journalDamaged(file, `${v.getDotPath(issue) ?? 'the journal'}: ${issue.message}`);
}

function parseJson(bytes: Buffer, file: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (error) {
    throw journalDamaged(file, errorText(error), error);
  }
}

export function journalDamaged(file: string, reason: string, cause?: unknown): BkpError {
  return new BkpError('journal-damaged', `the journal of an unfinished restore, ${file}, is damaged: ${reason}`, {
    path: file,
    cause,
    hint: 'Nothing was touched. What the restore put aside lies in the folders named swap-1, swap-2, … beside it: move it back by hand, then remove the journal.',
  });
}
