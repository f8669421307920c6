import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { systemCode } from '../base/errors.js';
import { displayName } from '../fs/display-name.js';
import { fileId, type FileId } from './held-files.js';
import type { FileUser, LockResult } from './protocol.js';
import { sidecarsOf } from './sidecars.js';

export interface FileUsers {
  readonly users: readonly FileUser[];
  readonly seen: LockResult['processes'];
}

/**
 * Looks through `/proc` for other processes that have one of the files open, whatever their locks: an idle connection to a
 * database with a rollback journal holds none. Neither this process nor its parent counts. Processes of other containers
 * and, without root, of other users cannot be seen.
 */
export function findFileUsers(files: ReadonlyMap<FileId, string>): FileUsers {
  if (process.platform !== 'linux') return { users: [], seen: 'none' };
  const pids = attempt(() => readdirSync('/proc'))?.filter((name) => /^\d+$/.test(name));
  if (pids === undefined) return { users: [], seen: 'none' };
  const ours = [process.pid, process.ppid];
  const users: FileUser[] = [];
  let hidden = false;
  for (const pid of pids.map(Number).filter((other) => !ours.includes(other))) {
    const paths = openPaths(pid, files);
    hidden ||= paths === 'hidden';
    if (paths === 'hidden' || paths.size === 0) continue;
    const command = commandOf(pid);
    users.push(...[...paths].map((path) => ({ path, pid, command })));
  }
  return { users, seen: hidden ? 'some' : 'all' };
}

/** Databases and their sidecars by file, as they lie now. Opens nothing. */
export function filesAt(databases: readonly string[]): ReadonlyMap<FileId, string> {
  const files = new Map<FileId, string>();
  for (const path of databases) {
    for (const { id } of sidecarsOf(path)) files.set(id, path);
    const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (stats !== undefined) files.set(fileId(stats), path);
  }
  return files;
}

function openPaths(pid: number, files: ReadonlyMap<FileId, string>): ReadonlySet<string> | 'hidden' {
  const folder = `/proc/${pid}/fd`;
  const found = new Set<string>();
  let descriptors: string[];
  try {
    descriptors = readdirSync(folder);
  } catch (error) {
    // Otherwise it has ended meanwhile.
    return systemCode(error) === 'EACCES' || systemCode(error) === 'EPERM' ? 'hidden' : found;
  }
  for (const descriptor of descriptors) {
    // A `stat`, not an `open`: our own locks stay.
    const stats = attempt(() => statSync(`${folder}/${descriptor}`, { bigint: true }));
    const path = stats === undefined ? undefined : files.get(fileId(stats));
    if (path !== undefined) found.add(path);
  }
  return found;
}

const maxCommand = 100;

function commandOf(pid: number): string {
  const [program = '', script = ''] = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.split('\0') ?? [];
  const name = program === '' ? (attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8')) ?? 'ended').trim() : program;
  return displayName(script === '' || script.startsWith('-') ? name : `${name} ${script}`).slice(0, maxCommand);
}

/** Undefined where the process or its descriptor is gone or hidden. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
