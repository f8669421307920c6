import { findFileUsers } from './file-users.js';
import type { FileId } from './held-files.js';
import type { LiveFile } from './member.js';
import { estimatePause } from './pause.js';
import type { PrivateReason } from './private-copy.js';
import type { SnapshotRequest } from './protocol.js';
import { sidecarsOf } from './sidecars.js';

export interface Routed {
  readonly file: LiveFile;
  /** Inside a folder: nobody has named it, so nothing of it is touched that need not be, and it refuses no backup. */
  readonly found: boolean;
}

/** Which of the found databases are copied privately, and why; all others are locked together. */
export function privateRoutes(
  databases: readonly Routed[],
  maxPause: SnapshotRequest['maxPause'],
): Map<LiveFile, PrivateReason> {
  const found = databases.filter((database) => database.found).map(({ file }) => file);
  const routes = unusedOf(found);
  if (maxPause === 'none') return routes;
  const pausing = (file: LiveFile): boolean => file.journalMode === 'delete';
  const named = databases.filter((database) => !database.found && pausing(database.file));
  let bytes = named.reduce((sum, { file }) => sum + file.size, 0);
  const joining = found.filter((file) => pausing(file) && !routes.has(file)).sort((a, b) => a.size - b.size);
  for (const file of joining) {
    bytes += file.size;
    if (estimatePause(bytes) > maxPause) routes.set(file, 'long-pause');
  }
  return routes;
}

function unusedOf(found: readonly LiveFile[]): Map<LiveFile, PrivateReason> {
  const routes = new Map<LiveFile, PrivateReason>();
  if (found.length === 0) return routes;
  const files = new Map<FileId, string>();
  for (const { path, id } of found) {
    for (const sidecar of sidecarsOf(path)) files.set(sidecar.id, path);
    files.set(id, path);
  }
  const { users, seen } = findFileUsers(files);
  const used = new Set(users.map(({ path }) => path));
  for (const file of found) {
    if (used.has(file.path)) continue;
    if (seen === 'all') routes.set(file, 'unused');
    // The index is shared memory of whoever has the database open.
    else if (!sidecarsOf(file.path).some(({ suffix }) => suffix === '-shm')) routes.set(file, 'seemingly-unused');
  }
  return routes;
}
