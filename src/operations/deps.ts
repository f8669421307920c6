import type { Cleanup } from '../base/cleanup.js';
import type { Clock } from '../base/clock.js';
import type { Progress } from '../base/progress.js';
import { CompressPool } from '../compress/pool.js';
import { sqliteChildOnDemand, type SqliteChildOnDemand } from '../sqlite/child-on-demand.js';

/** What operations get from outside: time, cancelling, and whom to tell. */
export interface Deps {
  readonly clock: Clock;
  readonly progress: Progress;
  /** Aborted with the `BkpError` that the run ends with. */
  readonly signal: AbortSignal;
  /** Where private temporary files may lie (`TMPDIR`). */
  readonly temporaryFolder: string;
  readonly host: string;
  /** Of bkp itself. */
  readonly version: string;
  /** Told what is done, for `-v`: stable id, then the text. */
  readonly step: (id: string, message: string) => void;
  /** Threads for several operations, one after the other; without it each starts and ends its own. */
  readonly pool?: CompressPool;
  /** A process that copies and checks databases, as `pool`. It is not ended by `signal`. */
  readonly sqlite?: SqliteChildOnDemand;
}

/** What may serve several operations. */
export type Kept = Pick<Deps, 'pool' | 'sqlite'>;

export function openPool({ pool }: Deps, cleanup: Cleanup): CompressPool {
  if (pool !== undefined) return pool;
  const own = new CompressPool();
  cleanup.defer(() => own.close());
  return own;
}

/** Not for what holds locks: those end with a process of its own. */
export function openSqlite({ sqlite, signal }: Deps, cleanup: Cleanup): SqliteChildOnDemand {
  if (sqlite !== undefined) return sqlite;
  const own = sqliteChildOnDemand({ signal });
  cleanup.defer(() => own.close());
  return own;
}
