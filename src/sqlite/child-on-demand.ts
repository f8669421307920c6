import { openSqliteChild, type SqliteChild, type SqliteChildOptions } from './client.js';

export interface SqliteChildOnDemand extends SqliteChild {
  /** Ahead of the first request, which will come. Throws the signal's reason where that is aborted already. */
  start(): void;
}

/**
 * The same as `openSqliteChild`, but the process is started by the first request that is about a database: starting it takes
 * longer than backing up a few files.
 */
export function sqliteChildOnDemand(options: SqliteChildOptions = {}): SqliteChildOnDemand {
  let child: SqliteChild | undefined;
  const started = (): SqliteChild => (child ??= openSqliteChild(options));
  const startedFor = (databases: readonly unknown[]): SqliteChild | undefined =>
    databases.length > 0 ? started() : child;
  return {
    start: () => void started(),
    get pid() {
      return child?.pid;
    },
    // Rejected, not thrown, where the signal is aborted already.
    snapshot: async (request, news) => started().snapshot(request, news),
    check: async (path) => started().check(path),
    lockDatabases: async (request) => started().lockDatabases(request),
    snapshotLocked: async (request, news) => started().snapshotLocked(request, news),
    lockStaged: async (request) => startedFor(request.databases)?.lockStaged(request),
    finishSwap: async (request) => startedFor(request.databases)?.finishSwap(request),
    readSchedules: async (request) => started().readSchedules(request),
    changeSchedules: async (request) => started().changeSchedules(request),
    releaseLocks: async (request) => (await child?.releaseLocks(request)) ?? { stillOpen: [] },
    close: async () => child?.close(),
  };
}
