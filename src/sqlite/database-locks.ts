import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.js';
import { BkpError } from '../base/errors.js';
import { ExclusiveLock, requireLockable } from './exclusive-lock.js';
import { findFileUsers } from './file-users.js';
import type { FileId, HeldFiles } from './held-files.js';
import { appearedMeanwhile, lockedElsewhere, oldFileStillOpen, openElsewhere } from './in-use.js';
import { filesOf, idAt, inOrderOfLocking, lookAt, placeOf, type LivePlace } from './live-place.js';
import type { LiveFile } from './member.js';
import type {
  FileUser,
  LockedDatabase,
  LockRequest,
  LockResult,
  ReleaseRequest,
  ReleaseResult,
  SwappedDatabase,
  SwapRequest,
} from './protocol.js';
import { dataBeside, removeSpentSidecars } from './sidecars.js';
import { databaseNames } from './super-journal.js';

/** Milliseconds. */
const defaultPatience = 65_000;
const pollInterval = 100;

/** The databases that are locked for a restore in place: live ones, and staged ones that take their paths. */
export class DatabaseLocks {
  readonly #held: HeldFiles;
  readonly #clock: Clock;
  readonly #locks = new Map<FileId, ExclusiveLock>();
  /** Files that are nothing SQLite can open, and so are not locked, with the reason. */
  readonly #broken = new Map<FileId, string>();
  /** What lay at the paths that were locked, when they were. */
  readonly #places = new Map<string, FileId | undefined>();

  constructor(held: HeldFiles, clock: Clock) {
    this.#held = held;
    this.#clock = clock;
  }

  /**
   * Locks live databases, all or none. On failure no connection may be closed any more, since the last one to close brings a
   * leftover `-wal` in: the process has to be killed, which gives all locks back and touches nothing.
   */
  async lock({ databases }: LockRequest): Promise<LockResult> {
    const looks = await this.#lookAtAll(databases);
    // A file that fails to be read is broken; one that may not be read is none of ours to replace.
    for (const { path, id, file } of looks) if (id !== undefined && file.kind === 'unreadable') requireLockable(path);
    const { users, seen } = findFileUsers(filesOf(looks));
    if (users.length > 0) throw openElsewhere(users);
    const taken: ExclusiveLock[] = [];
    try {
      for (const file of inOrderOfLocking(looks)) await this.#take(file, taken);
      for (const lock of taken) lock.settle();
    } catch (error) {
      for (const lock of taken) undoQuietly(lock);
      throw error;
    }
    for (const { path, id } of looks) this.#places.set(path, id);
    return { databases: looks.map((look) => this.#describe(look)), processes: seen };
  }

  /** Locks files that are to be renamed to live paths. On failure those of this call are let go. */
  async lockStaged({ databases }: LockRequest): Promise<void> {
    const looks = await this.#lookAtAll(databases);
    const taken: ExclusiveLock[] = [];
    try {
      for (const { file, path } of looks) {
        if (file.kind === 'held') continue;
        if (file.kind !== 'database') throw stagedFault(path, file.reason);
        // It would be brought in: the file would no longer be the one that was checked.
        const foreign = dataBeside(path)[0];
        if (foreign !== undefined) throw stagedFault(path, `${foreign.path} lies beside it`);
        const lock = await this.#take(file, taken);
        lock.settle();
        if (lock.fault !== undefined) throw stagedFault(path, lock.fault);
      }
    } catch (error) {
      for (const lock of taken) this.#close(lock);
      throw error;
    }
  }

  /**
   * After the renames: lets go of the files that were at these paths, once nobody else has them open, and removes what holds
   * nothing beside the new ones, which stay locked. Throws before it has changed anything: what is to be undone can be.
   */
  async finishSwap({ databases, patience = defaultPatience }: SwapRequest): Promise<void> {
    const places = await Promise.all(
      databases.map(async ({ path, sidecars }) => ({ path: await placeOf(path), sidecars })),
    );
    const there = new Map<string, FileId | undefined>();
    for (const place of places) {
      const id = await idAt(place.path);
      if (place.sidecars === 'none') this.#requireOurs(place, id);
      there.set(place.path, id);
    }
    const gone = this.#goneFrom(there);
    const users = await this.#waitForUsers(gone, patience);
    if (users.length > 0) throw oldFileStillOpen(users);
    for (const id of gone.keys()) this.#close(this.#locks.get(id));
    for (const { path, sidecars } of places) {
      this.#places.set(path, there.get(path));
      if (sidecars === 'none') removeSpentSidecars(path);
    }
  }

  /** Lets go of everything; of files that are at no live path any more only when nobody has them open, or patience ends. */
  async release({ patience = defaultPatience }: ReleaseRequest = {}): Promise<ReleaseResult> {
    const there = new Set<FileId | undefined>();
    for (const place of this.#places.keys()) there.add(await idAt(place));
    const moved = [...this.#locks.values()].filter(({ id }) => !there.has(id));
    const stillOpen = await this.#waitForUsers(new Map(moved.map(({ id, path }) => [id, path])), patience);
    for (const lock of moved) this.#close(lock);
    this.closeAll();
    return { stillOpen };
  }

  /** Lets go of everything at once. */
  closeAll(): void {
    for (const lock of this.#locks.values()) this.#close(lock);
    this.#places.clear();
    this.#broken.clear();
  }

  /** The lock on a file, if it is had. */
  find(id: FileId | undefined): ExclusiveLock | undefined {
    return id === undefined ? undefined : this.#locks.get(id);
  }

  /** Why a file could not be locked, where it was found to be no database then. */
  whyBroken(id: FileId | undefined): string | undefined {
    return id === undefined ? undefined : this.#broken.get(id);
  }

  /** All files are read through `fs` before the first of them is opened in SQLite. */
  async #lookAtAll(databases: LockRequest['databases']): Promise<LivePlace[]> {
    const looks: LivePlace[] = [];
    const names = await databaseNames(databases.map(({ path }) => path));
    for (const { name, path } of databases) looks.push(await lookAt(name, path, this.#held, names));
    return looks;
  }

  async #take(file: LiveFile, taken: ExclusiveLock[]): Promise<ExclusiveLock> {
    const lock = new ExclusiveLock(file, this.#held);
    // Kept from the first moment: a connection that is forgotten would be closed by the garbage collector.
    taken.push(lock);
    this.#locks.set(lock.id, lock);
    if (lock.acquire() === 'busy') throw lockedElsewhere(lock.path);
    if ((await idAt(lock.path)) !== lock.id) throw appearedMeanwhile(lock.path);
    if (!lock.isHeld) {
      this.#locks.delete(lock.id);
      this.#broken.set(lock.id, `${lock.path}: ${lock.fault ?? 'not locked'}`);
    }
    return lock;
  }

  #describe({ name, path, id, file }: LivePlace): LockedDatabase {
    const sidecars = dataBeside(path).map((sidecar) => sidecar.path);
    const lock = this.find(id);
    if (file.kind === 'missing') return { kind: 'absent', name, sidecars };
    if (lock !== undefined) {
      const { fault } = lock;
      return fault === undefined
        ? { kind: 'locked', name, sidecars }
        : { kind: 'broken', name, sidecars, reason: `${path}: ${fault}`, locked: true };
    }
    const reason = 'reason' in file ? file.reason : (this.whyBroken(id) ?? `${path} is not locked`);
    if (id !== undefined) this.#broken.set(id, reason);
    return { kind: 'broken', name, sidecars, reason, locked: false };
  }

  /** What lies at a place after the renames must be locked, and nothing beside it may hold data of another file. */
  #requireOurs({ path }: SwappedDatabase, id: FileId | undefined): void {
    if (id !== undefined && !this.#locks.has(id)) throw new Error(`was moved to its place without a lock: ${path}`);
    const foreign = dataBeside(path)[0];
    if (foreign === undefined) return;
    throw new BkpError('io-failed', `${foreign.path} (${foreign.bytes} bytes) is not of the restored ${path}`, {
      path: foreign.path,
      hint: 'SQLite would take it for a part of that database: move it elsewhere.',
    });
  }

  /** Files that were at these places when they were locked, and are at none of them now. */
  #goneFrom(there: ReadonlyMap<string, FileId | undefined>): Map<FileId, string> {
    const now = new Set(there.values());
    const gone = new Map<FileId, string>();
    for (const path of there.keys()) {
      const id = this.#places.get(path);
      if (id !== undefined && !now.has(id)) gone.set(id, path);
    }
    return gone;
  }

  /** Those that still have one of the files open in the end. */
  async #waitForUsers(files: ReadonlyMap<FileId, string>, patience: number): Promise<readonly FileUser[]> {
    const until = this.#clock.monotonic() + patience;
    for (;;) {
      const users = files.size === 0 ? [] : findFileUsers(files).users;
      if (users.length === 0 || this.#clock.monotonic() >= until) return users;
      await sleep(pollInterval);
    }
  }

  #close(lock: ExclusiveLock | undefined): void {
    if (lock === undefined) return;
    lock.close();
    this.#locks.delete(lock.id);
  }
}

/** There is a cause to be told, which may be what is in the way of this too. */
function undoQuietly(lock: ExclusiveLock): void {
  try {
    lock.undoSidecars();
  } catch (error) {
    if (!(error instanceof BkpError)) throw error;
  }
}

function stagedFault(path: string, reason: string): BkpError {
  return new BkpError('io-failed', `the restored ${path} cannot be locked: ${reason}`, { path });
}
