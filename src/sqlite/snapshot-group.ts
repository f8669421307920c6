import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.js';
import type { FileId, HeldFiles } from './held-files.js';
import { GroupMember, type LiveFile } from './member.js';
import { locksNotHad } from './pause.js';

/** A database to be pinned. */
export interface Candidate {
  readonly file: LiveFile;
  /** One whose lock is never free is left out of the group instead of refusing it. */
  readonly optional: boolean;
}

export interface GroupOptions {
  /** Milliseconds. */
  readonly deadline: number;
  readonly held: HeldFiles;
  readonly clock: Clock;
}

/** Milliseconds between two attempts: at random, so that two programs that collide do not keep in step. */
const shortestWait = 5;
const longestWait = 25;

/**
 * Pins databases at one instant: all write locks are had at once, every pin begins while they are held, then the locks go.
 * Writers wait for milliseconds. Where one lock is not free, all are given back before the next attempt: holding one while
 * waiting for another made an application that writes to both fail with "database is locked".
 *
 * The members returned are pinned or have a `failure`; the caller closes each. Throws `needs-wal-or-quiesce` where the locks
 * of those that are not optional were not had together before the deadline; nothing is held then.
 */
export async function pinTogether(
  candidates: readonly Candidate[],
  options: GroupOptions,
): Promise<readonly GroupMember[]> {
  const { deadline, held, clock } = options;
  const members = candidates.map(({ file, optional }) => new GroupMember(file, held, optional));
  const until = clock.monotonic() + deadline;
  // The others still have their time.
  const untilOptional = clock.monotonic() + deadline / 2;
  try {
    let order = members;
    for (;;) {
      const blocked = attempt(order, clock);
      if (blocked === undefined) return members;
      for (const member of members) member.release();
      if (blocked.optional && clock.monotonic() >= untilOptional) {
        blocked.giveUp();
        continue;
      }
      if (clock.monotonic() >= until) throw locksNotHad(blocked.file, deadline);
      order = shuffled(members);
      await sleep(shortestWait + Math.random() * (longestWait - shortestWait));
    }
  } catch (error) {
    for (const member of members) member.close();
    throw error;
  }
}

/** The member that another connection is in the way of; undefined where all are pinned or have failed for good. */
function attempt(order: readonly GroupMember[], clock: Clock): GroupMember | undefined {
  const locked = new Set<FileId>();
  const usable = (member: GroupMember): boolean => member.failure === undefined;
  let busy = order.find((member) => usable(member) && !member.lock(locked));
  const now = clock.now();
  busy ??= order.find((member) => usable(member) && !member.pin(now));
  if (busy === undefined) for (const member of order) member.unlock();
  return busy;
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
