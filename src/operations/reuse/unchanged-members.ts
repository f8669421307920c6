import { entriesDigest, type KnownMember } from '../../archive/known/known-member.js';
import { entryOf, type KnownRecord } from '../../archive/known/known-record.js';
import { blockSize } from '../../base/limits.js';
import type { Walked } from '../../fs/walk.js';
import { walkedHeader, type WalkedEntry } from '../entry-header.js';
import type { EarlierArchive } from './earlier-archive.js';
import { readAhead, type Reading } from './read-ahead.js';
import { isSame, type EarlierSource, type Passed } from './unchanged-files.js';

/** Small entries that an earlier archive has together, and none of which changed. */
export interface PassedMember {
  readonly walked: readonly WalkedEntry[];
  readonly known: KnownMember;
  /** As they lie there, proven. */
  readonly packed: Buffer;
}

export const isMember = (passed: Passed | PassedMember): passed is PassedMember => Array.isArray(passed.walked);

type Group = readonly (Passed | PassedMember)[];

/** Passed on at once, at most. */
const maxEntries = 1024;

/**
 * Passes a walk on in groups, with the members of small entries that did not change; these are read and proven ahead. Of other
 * files it tells what is known, as `withEarlier` does.
 */
export async function* withEarlierMembers(
  walk: Iterable<Walked>,
  { cursor, archive }: EarlierSource,
): AsyncGenerator<Group> {
  yield* readAhead(groups());

  async function* groups(): AsyncGenerator<Reading<Group>> {
    const matching = new Matching();
    for (const walked of walk) {
      const record = walked.kind === 'finding' ? undefined : await cursor.find(walked.path);
      const matched = matching.next(walked, record);
      if (matched === undefined && matching.passed.length < maxEntries) continue;
      if (matching.passed.length > 0) yield { done: Promise.resolve(matching.pass()) };
      if (matched !== undefined) yield { done: taken(matched, archive) };
    }
    matching.end();
    yield { done: Promise.resolve(matching.pass()) };
  }
}

/** Entries that are, one by one, those of a member. */
type Matched = Omit<PassedMember, 'packed'>;

/** Finds the members of an earlier archive in a walk. */
class Matching {
  #passed: Passed[] = [];
  /** The member that these may be. */
  #known: KnownMember | undefined;
  #held: WalkedEntry[] = [];
  /** Small entries come before that are packed anew. */
  #isFilling = false;

  /** What no member has, in the order of the walk. */
  get passed(): readonly Passed[] {
    return this.#passed;
  }

  /** The same, passed on. */
  pass(): readonly Passed[] {
    const passed = this.#passed;
    this.#passed = [];
    return passed;
  }

  /** `record`: what is remembered of it. Gives a member whose last entry this is; what is passed comes before it. */
  next(walked: Walked, record: KnownRecord | undefined): Matched | undefined {
    if (walked.kind === 'finding') {
      this.#passed.push({ walked });
      return undefined;
    }
    // It begins another one, or lies by itself.
    if (record !== undefined) this.end();
    if (record?.kind === 'member' && this.#isWorthwhile(record.member)) this.#known = record.member;
    if (this.#known === undefined) {
      this.#passBy(walked, record);
      return undefined;
    }
    this.#held.push(walked);
    return this.#held.length < this.#known.entries ? undefined : this.#compare(this.#known);
  }

  /** There is nothing more that could belong to the member. */
  end(): void {
    for (const walked of this.#held) this.#passBy(walked, undefined);
    this.#held = [];
    this.#known = undefined;
  }

  #compare(known: KnownMember): Matched | undefined {
    const walked = this.#held;
    const digested = walked.map((one) => ({
      header: walkedHeader(one),
      stat: one.kind === 'file' ? one.stat : undefined,
    }));
    if (!entriesDigest(digested).equals(known.digest)) {
      this.end();
      return undefined;
    }
    this.#held = [];
    this.#known = undefined;
    this.#isFilling = false;
    return { known, walked };
  }

  /** A small one behind others that are packed anew is packed with them: otherwise each change would leave smaller ones. */
  #isWorthwhile({ member }: KnownMember): boolean {
    return !this.#isFilling || member.size >= blockSize / 4;
  }

  #passBy(walked: WalkedEntry, record: KnownRecord | undefined): void {
    const known = entryOf(record);
    const isKnown = known !== undefined && walked.kind === 'file' && isSame(known, walked.stat);
    this.#passed.push(isKnown ? { walked, known } : { walked });
    this.#isFilling = walked.kind !== 'file' || walked.stat.size <= blockSize;
  }
}

/** The member as it lies there, or its entries by themselves where it is damaged. */
async function taken(matched: Matched, archive: EarlierArchive): Promise<Group> {
  const packed = await archive.member(matched.known.member);
  return packed === undefined ? matched.walked.map((walked) => ({ walked })) : [{ ...matched, packed }];
}
