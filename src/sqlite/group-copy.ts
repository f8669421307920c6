import type { Clock } from '../base/clock.js';
import { copyPinned } from './copy.js';
import { describeFault, sqliteFault } from './fault.js';
import type { HeldFiles } from './held-files.js';
import type { GroupMember, LiveFile, PinFailure, Pinned } from './member.js';
import { refuseLongPause } from './pause.js';
import type { SnapshotRequest } from './protocol.js';
import { pinTogether, type Candidate } from './snapshot-group.js';

export interface SnapshotDeps {
  readonly held: HeldFiles;
  readonly clock: Clock;
  /** Told the bytes copied. */
  readonly advance: (bytes: number) => void;
}

/** Milliseconds. */
const defaultLockDeadline = 30_000;

/** A copy that SQLite made, not yet checked. */
export interface Copy extends Omit<Pinned, 'connection'> {
  readonly bytes: number;
  readonly finishedAt: number;
}

export type CopyOutcome = { readonly copy: Copy } | { readonly failure: PinFailure };

/** A database to be copied, and where to. */
export interface CopyTask extends Candidate {
  readonly destination: string;
}

export interface GroupCopyOptions {
  readonly maxPause: SnapshotRequest['maxPause'];
  /** Milliseconds until the locks must have been had; default 30 000. */
  readonly lockDeadline?: number | undefined;
}

/**
 * Pins databases at one instant and copies them; each file has its outcome. No connection is open afterwards. Throws
 * `needs-wal-or-quiesce`, or where a destination cannot be written.
 */
export async function copyGroup(
  tasks: readonly CopyTask[],
  { maxPause, lockDeadline = defaultLockDeadline }: GroupCopyOptions,
  deps: SnapshotDeps,
): Promise<Map<LiveFile, CopyOutcome>> {
  const destinations = new Map(tasks.map(({ file, destination }) => [file, destination]));
  const members = await pinTogether(tasks, { deadline: lockDeadline, held: deps.held, clock: deps.clock });
  const outcomes = new Map<LiveFile, CopyOutcome>();
  try {
    if (maxPause !== 'none') refuseLongPause(pausing(members), maxPause);
    for (const member of members.toSorted((a, b) => copyRank(a) - copyRank(b))) {
      const destination = destinations.get(member.file);
      if (destination === undefined) throw new Error(`no destination for ${member.file.path}`);
      outcomes.set(member.file, await copyMember(member, destination, deps));
    }
  } finally {
    for (const member of members) member.close();
  }
  return outcomes;
}

/** What a person has named alone may refuse the backup; how much of the rest goes with it is the caller's to measure. */
function pausing(members: readonly GroupMember[]): { path: string; bytes: number }[] {
  return members.flatMap(({ file, pinned, optional }) =>
    !optional && pinned?.journalMode === 'delete'
      ? [{ path: file.path, bytes: pinned.pageSize * pinned.pageCount }]
      : [],
  );
}

/** Rollback journals first, for their writers wait; the small ones before the large ones, so that the fewest wait longest. */
function copyRank({ pinned }: GroupMember): number {
  if (pinned === undefined) return 0;
  return pinned.journalMode === 'delete' ? pinned.pageSize * pinned.pageCount : Number.MAX_SAFE_INTEGER;
}

/** Copies one pinned database and lets go of it at once. */
async function copyMember(member: GroupMember, destination: string, deps: SnapshotDeps): Promise<CopyOutcome> {
  const { pinned, failure } = member;
  if (failure !== undefined) return { failure };
  if (pinned === undefined) throw new Error(`neither pinned nor failed: ${member.file.path}`);
  try {
    const bytes = await copyPinned(pinned, destination, deps.advance);
    const { connection: _, ...facts } = pinned;
    return { copy: { ...facts, bytes, finishedAt: deps.clock.now() } };
  } catch (error) {
    if (sqliteFault(error) === undefined) throw error;
    return { failure: { fault: 'damaged', reason: describeFault(error) } };
  } finally {
    member.close();
  }
}
