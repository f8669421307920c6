import { readdirSync, readFileSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { ioError, systemCode } from '../base/errors.js';
import { lookAt } from '../fs/file-stat.js';
import type { Journal } from '../fs/journal.js';
import { writeFileDurably } from '../fs/partial-file.js';
import type { Kept } from '../fs/swap-discard.js';
import type { Unexpected } from '../fs/swap-survey.js';

const listName = /^kept-\d+\.json$/;

const schema = v.object({
  /** The folders of the swap; the list is about nothing once they are gone. */
  places: v.array(v.string()),
  kept: v.array(v.object({ path: v.string(), reason: v.string() })),
});

interface KeptList extends v.InferOutput<typeof schema> {
  readonly file: string;
}

/**
 * Writes beside the journal what a swap leaves aside, before the journal goes: a restore that is killed before its last word
 * can tell nobody. Written again by a repeated recovery.
 */
export async function writeKept(
  { folder, steps }: Journal,
  kept: readonly Kept[],
  unexpected: readonly Unexpected[],
): Promise<void> {
  const moved = unexpected.flatMap((one) =>
    one.kind === 'moved' ? [{ path: one.at, reason: `somebody had put it at ${one.live}` }] : [],
  );
  const places = [...new Set(steps.map(({ place }) => place))];
  const lists = readLists(folder);
  const same = lists.find((list) => list.places.join('\0') === places.join('\0'));
  const told = [...kept, ...moved];
  if (told.length === 0) {
    if (same !== undefined) await unlink(same.file);
    return;
  }
  const file = same?.file ?? freeName(folder);
  await writeFileDurably(file, Buffer.from(`${JSON.stringify({ places, kept: told }, undefined, 2)}\n`), 0o600);
}

function freeName(folder: string): string {
  for (let number = 1; ; number++) {
    const file = join(folder, `kept-${number}.json`);
    if (lookAt(file) === undefined) return file;
  }
}

/** What earlier restores left aside and is still there, as far as lists tell. */
export function readKept(folder: string): readonly Kept[] {
  // A name that is shown escaped cannot be looked for.
  const isThere = ({ path }: Kept): boolean => path.includes('\\x') || lookAt(path) !== undefined;
  return readLists(folder)
    .filter(isAboutSomething)
    .flatMap(({ kept }) => kept.filter(isThere));
}

/** Removes lists of which nothing is left. */
export async function forgetKept(folder: string): Promise<void> {
  for (const list of readLists(folder)) if (!isAboutSomething(list)) await unlink(list.file);
}

const isAboutSomething = ({ places }: KeptList): boolean => places.some((place) => lookAt(place) !== undefined);

/** Whether something in the private folder is such a list. */
export const isKeptList = (name: string): boolean => listName.test(name);

/** One that cannot be read tells nothing. */
function readLists(folder: string): readonly KeptList[] {
  try {
    return readdirSync(folder)
      .filter(isKeptList)
      .flatMap((name) => {
        const file = join(folder, name);
        const parsed = v.safeParse(schema, parseJson(readFileSync(file, 'utf8')));
        return parsed.success ? [{ file, ...parsed.output }] : [];
      });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw ioError('looking into', folder, error);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
