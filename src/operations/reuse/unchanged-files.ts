import { blockSize } from '../../base/limits.js';
import { batchRoom } from '../../compress/block-memory.js';
import type { KnownEntry } from '../../archive/known/known-entry.js';
import { entryOf } from '../../archive/known/known-record.js';
import type { Walked } from '../../fs/walk.js';
import { isUnchanged } from '../../policy/unchanged.js';
import type { EarlierArchive } from './earlier-archive.js';
import type { KnownCursor } from './known-cursor.js';
import { readAhead, type Reading } from './read-ahead.js';

/** Something that was walked, and what an earlier archive has of it. */
export interface Passed {
  readonly walked: Walked;
  /** Of a file that did not change, or of a database, whose blocks may have stayed. */
  readonly known?: KnownEntry;
  /** Of a small file that did not change: as it lies there, proven. */
  readonly packed?: Buffer;
  /** To be told when it is written. */
  readonly written?: () => void;
}

/** Entries of one group, at most. */
const maxEntries = 1024;

/** The same source in an earlier archive. */
export interface EarlierSource {
  readonly cursor: KnownCursor;
  readonly archive: EarlierArchive;
}

/** Passes a walk on in groups, each small file that did not change with its packed bytes; these are read and proven ahead. */
export async function* withEarlier(
  walk: Iterable<Walked>,
  { cursor, archive }: EarlierSource,
): AsyncGenerator<readonly Passed[]> {
  yield* readAhead(groups());

  async function* groups(): AsyncGenerator<Reading<readonly Passed[]>> {
    let group: Passed[] = [];
    let bytes = 0;
    for (const walked of walk) {
      const known = entryOf(walked.kind === 'file' ? await cursor.find(walked.path) : undefined);
      const isKnown = known !== undefined && walked.kind === 'file' && isSame(known, walked.stat);
      group.push(isKnown ? { walked, known } : { walked });
      if (isKnown && isWhole(known)) bytes += known.place.length;
      if (bytes < blockSize && group.length < maxEntries) continue;
      yield { done: take(group, archive) };
      group = [];
      bytes = 0;
    }
    yield { done: take(group, archive) };
  }
}

/** A database is looked at block by block, whatever its file says. */
export const isSame = ({ stat }: KnownEntry, now: Parameters<typeof isUnchanged>[1]): boolean =>
  stat === undefined || isUnchanged(stat, now);

/** It is small: none that we wrote has more bytes than a batch. */
const isWhole = ({ stat, place }: KnownEntry): boolean =>
  stat !== undefined && place.blocks === undefined && place.length <= batchRoom;

async function take(group: readonly Passed[], archive: EarlierArchive): Promise<readonly Passed[]> {
  const places = group.flatMap(({ known }) => (known !== undefined && isWhole(known) ? [known.place] : []));
  if (places.length === 0) return group;
  const { packed, spent } = await archive.take(places);
  const last = packed.findLastIndex((bytes) => bytes !== undefined);
  let next = 0;
  return group.map((one) => {
    if (one.known === undefined || !isWhole(one.known)) return one;
    const index = next++;
    const bytes = packed[index];
    if (bytes === undefined) return { walked: one.walked };
    return { ...one, packed: bytes, ...(index === last ? { written: spent } : {}) };
  });
}
