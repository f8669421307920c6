import { fork, type ChildProcess } from 'node:child_process';
import { entryPoint } from '../base/entry-point.js';
import { BkpError } from '../base/errors.js';
import { defaultCheckBudget, type CheckBudget } from './check-budget.js';
import type {
  CheckResult,
  DatabaseSnapshot,
  LockedSnapshotRequest,
  LockRequest,
  LockResult,
  ReleaseRequest,
  ReleaseResult,
  Reply,
  Request,
  ScheduleChangeRequest,
  ScheduleReadRequest,
  ScheduleReadResult,
  SnapshotRequest,
  SnapshotResult,
  SwapRequest,
} from './protocol.js';
import { errorFromWire } from './wire-error.js';

/** What is told while databases are copied. */
export interface SnapshotNews {
  /** Bytes copied since the last call. */
  readonly onProgress?: (bytes: number) => void;
  /**
   * These of the request (counted from 0) lie at their destinations, and are still to be checked: the result tells what that
   * gave. A copy that is found damaged is removed, and others lie in its place.
   */
  readonly onCopies?: (indexes: readonly number[]) => void;
  /** What the result will say of one of them, as soon as that is known. */
  readonly onChecked?: (index: number, snapshot: DatabaseSnapshot) => void;
}

/** The process that alone opens live databases. Requests are answered one after the other. */
export interface SqliteChild {
  readonly pid: number | undefined;
  /**
   * Copies live databases as they were at one instant and checks the copies. Rejects with `needs-wal-or-quiesce`, `no-space` or `io-failed` (no archive can be made; destinations may hold
   * partial copies), with `sqlite-child-failed` where the process dies, with the signal's reason where that aborts.
   */
  snapshot(request: SnapshotRequest, news?: SnapshotNews): Promise<SnapshotResult>;
  /**
   * Checks a database file that nobody else uses and that does not change meanwhile. Leaves nothing beside it. `unchecked` where
   * that does not end in time.
   */
  check(path: string): Promise<CheckResult>;
  /**
   * Locks live databases exclusively, all or none, and brings what lies in their `-wal` in. Two paths to one file are locked
   * once. A hot journal is rolled back, as by any reader. Absent and broken databases are no error.
   *
   * Rejects with `database-in-use` where another process has one of them open or locked, with `target-unwritable` where one may
   * not be written. On any failure the process is ended (open another one): killing it is what gives the locks back without
   * bringing a `-wal` in. No database and no sidecar was touched then, unless a hot journal had to be rolled back.
   *
   * From here to `releaseLocks` these files may be moved by their paths, and are opened by nobody else.
   */
  lockDatabases(request: LockRequest): Promise<LockResult>;
  /** As `snapshot`, of databases locked by `lockDatabases`, through the connections that hold the locks. */
  snapshotLocked(request: LockedSnapshotRequest, news?: SnapshotNews): Promise<SnapshotResult>;
  /**
   * Locks restored databases (files nobody uses, without sidecars) that are to be renamed to live paths; nothing is written to
   * them, and nothing lies beside them afterwards. On failure those of this call are let go, the live ones stay locked.
   */
  lockStaged(request: LockRequest): Promise<void>;
  /**
   * After the renames: waits until nobody else has an old file open, lets go of those, and removes empty sidecars at the live
   * paths. What is there now stays locked. Rejects with `database-in-use` where others do not close an old file in time, with
   * `io-failed` where a `-wal` or `-journal` at a live path holds something; all locks are held then, and the renames can be
   * undone (followed by `releaseLocks`) or the call repeated.
   */
  finishSwap(request: SwapRequest): Promise<void>;
  /** Lets go of everything. Waits before it does where files were moved away from live paths without a `finishSwap`. */
  releaseLocks(request?: ReleaseRequest): Promise<ReleaseResult>;
  /**
   * The schedules in the table `backup_schedule` of a live database, of which nothing is changed. Rejects with
   * `schedules-unreadable`, `schedules-invalid`, or `database-in-use` where it does not hold still.
   */
  readSchedules(request: ScheduleReadRequest): Promise<ScheduleReadResult>;
  /**
   * Changes one schedule, making the table where it is missing; false where there is none of that name to be removed or
   * enabled. Rejects as `readSchedules` does, or with `schedules-unwritable`; nothing is changed then.
   */
  changeSchedules(request: ScheduleChangeRequest): Promise<boolean>;
  /**
   * Ends the process and waits until it is gone, so that nothing writes to a destination any more. Requests under way are
   * rejected. Never rejects; may be called again.
   */
  close(): Promise<void>;
}

export interface SqliteChildOptions {
  /** On abort the process is killed and all requests reject with the signal's reason. */
  readonly signal?: AbortSignal;
  /** How long the check of a database may take before it is given up as `unchecked`. */
  readonly checkBudget?: CheckBudget;
}

/** Milliseconds an idle process has to go by itself. */
const closeTimeout = 5000;

/** What is kept of its standard error, for the message where it dies. */
const maxErrorText = 4096;

const inChild = 'in the process that reads the databases';

interface Pending {
  readonly settle: (reply: Reply) => void;
  readonly reject: (reason: unknown) => void;
  readonly news: SnapshotNews | undefined;
}

/** Starts the process. Throws the signal's reason where that is aborted already. */
export function openSqliteChild(options: SqliteChildOptions = {}): SqliteChild {
  options.signal?.throwIfAborted();
  return new ForkedChild(options);
}

class ForkedChild implements SqliteChild {
  readonly #child: ChildProcess;
  readonly #signal: AbortSignal | undefined;
  readonly #pending = new Map<number, Pending>();
  readonly #gone: Promise<void>;
  /** Why no request can be answered any more. */
  #ended: { readonly reason: Error } | undefined;
  #errorText = '';
  #nextId = 1;

  constructor({ signal, checkBudget = defaultCheckBudget }: SqliteChildOptions) {
    this.#child = fork(entryPoint('sqlite/child.js'), [JSON.stringify(checkBudget)], {
      // SQLite reads it when it is loaded: copies are opened by URI.
      env: { ...process.env, SQLITE_USE_URI: '1' },
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#child.on('message', (reply: Reply) => this.#receive(reply));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errorText = (this.#errorText + text).slice(-maxErrorText);
    });
    this.#gone = new Promise((resolve) => {
      // 'close' comes after the last of standard error; where it could not be started at all, only 'error' may come.
      this.#child.on('error', (error) => {
        this.#end(failed(`it could not be reached: ${error.message}`, error));
        if (this.#child.pid === undefined) resolve();
      });
      this.#child.once('close', (code, killedBy) => {
        this.#end(failed(exitText(code, killedBy, this.#errorText)));
        resolve();
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async snapshot(request: SnapshotRequest, news?: SnapshotNews): Promise<SnapshotResult> {
    const reply = await this.#ask((id) => ({ kind: 'snapshot', id, request }), news);
    if (reply.kind !== 'snapshot-taken') throw new Error(`answered a snapshot with ${reply.kind}`);
    return reply.result;
  }

  async check(path: string): Promise<CheckResult> {
    const reply = await this.#ask((id) => ({ kind: 'check', id, path }));
    if (reply.kind !== 'checked') throw new Error(`answered a check with ${reply.kind}`);
    return reply.result;
  }

  async lockDatabases(request: LockRequest): Promise<LockResult> {
    try {
      const reply = await this.#ask((id) => ({ kind: 'lock', id, request }));
      if (reply.kind !== 'locked') throw new Error(`answered a request for locks with ${reply.kind}`);
      return reply.result;
    } catch (error) {
      this.#end(failed('it was ended to give its locks back', error));
      this.#child.kill('SIGKILL');
      await this.#gone;
      throw error;
    }
  }

  async snapshotLocked(request: LockedSnapshotRequest, news?: SnapshotNews): Promise<SnapshotResult> {
    const reply = await this.#ask((id) => ({ kind: 'snapshot-locked', id, request }), news);
    if (reply.kind !== 'snapshot-taken') throw new Error(`answered a snapshot with ${reply.kind}`);
    return reply.result;
  }

  async lockStaged(request: LockRequest): Promise<void> {
    const reply = await this.#ask((id) => ({ kind: 'lock-staged', id, request }));
    if (reply.kind !== 'done') throw new Error(`answered a request for locks with ${reply.kind}`);
  }

  async finishSwap(request: SwapRequest): Promise<void> {
    const reply = await this.#ask((id) => ({ kind: 'finish-swap', id, request }));
    if (reply.kind !== 'done') throw new Error(`answered the end of a swap with ${reply.kind}`);
  }

  async releaseLocks(request: ReleaseRequest = {}): Promise<ReleaseResult> {
    const reply = await this.#ask((id) => ({ kind: 'release', id, request }));
    if (reply.kind !== 'released') throw new Error(`answered a release with ${reply.kind}`);
    return reply.result;
  }

  async readSchedules(request: ScheduleReadRequest): Promise<ScheduleReadResult> {
    const reply = await this.#ask((id) => ({ kind: 'read-schedules', id, request }));
    if (reply.kind !== 'schedules-read') throw new Error(`answered a look at schedules with ${reply.kind}`);
    return reply.result;
  }

  async changeSchedules(request: ScheduleChangeRequest): Promise<boolean> {
    const reply = await this.#ask((id) => ({ kind: 'change-schedules', id, request }));
    if (reply.kind !== 'schedules-changed') throw new Error(`answered a change of schedules with ${reply.kind}`);
    return reply.found;
  }

  async close(): Promise<void> {
    const busy = this.#pending.size > 0;
    this.#end(failed('it was closed'));
    if (busy || !this.#child.connected) this.#child.kill('SIGKILL');
    else this.#send({ kind: 'close' });
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), closeTimeout);
    await this.#gone;
    clearTimeout(timer);
  }

  readonly #onAbort = (): void => {
    this.#end(this.#signal?.reason as Error);
    this.#child.kill('SIGKILL');
  };

  #ask(request: (id: number) => Request, news?: SnapshotNews): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended.reason);
        return;
      }
      const id = this.#nextId++;
      this.#pending.set(id, { settle: resolve, reject, news });
      this.#send(request(id));
    });
  }

  #send(request: Request): void {
    // A process that is gone is told by 'close', with its last words.
    this.#child.send(request, () => undefined);
  }

  #receive(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) return;
    const { news } = pending;
    if (reply.kind === 'progress') return news?.onProgress?.(reply.bytes);
    if (reply.kind === 'copies-made') return news?.onCopies?.(reply.indexes);
    if (reply.kind === 'copy-checked') return news?.onChecked?.(reply.index, reply.snapshot);
    this.#pending.delete(reply.id);
    if (reply.kind === 'failed') pending.reject(errorFromWire(reply.error, inChild));
    else pending.settle(reply);
  }

  #end(reason: Error): void {
    this.#ended ??= { reason };
    this.#signal?.removeEventListener('abort', this.#onAbort);
    for (const { reject } of this.#pending.values()) reject(this.#ended.reason);
    this.#pending.clear();
  }
}

function failed(what: string, cause?: unknown): BkpError {
  return new BkpError('sqlite-child-failed', `the process that reads the databases failed: ${what}`, {
    cause,
    hint: 'Try again; where it was killed, look whether the system ran out of memory.',
  });
}

function exitText(code: number | null, signal: NodeJS.Signals | null, errorText: string): string {
  const how = signal === null ? `it ended with code ${code ?? 'unknown'}` : `it was killed by ${signal}`;
  return errorText === '' ? how : `${how}: ${errorText.trim()}`;
}
