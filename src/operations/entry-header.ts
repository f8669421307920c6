import type { EntryHeader } from '../archive/archive.js';
import type { EntryPath } from '../base/entry-path.js';
import { never } from '../base/errors.js';
import type { FileStat } from '../fs/file-stat.js';
import type { Walked } from '../fs/walk.js';

/** What was walked and becomes an entry as it is. */
export type WalkedEntry = Exclude<Walked, { kind: 'finding' }>;

export function entryHeader(path: EntryPath, kind: EntryHeader['kind'], stat: FileStat): EntryHeader {
  const { mode, mtime, uid, gid } = stat;
  return { path, kind, size: kind === 'file' ? stat.size : 0, mode, mtime, uid, gid };
}

export function walkedHeader(walked: WalkedEntry): EntryHeader {
  const { kind, path, stat } = walked;
  switch (kind) {
    case 'file':
    case 'directory':
      return entryHeader(path, kind, stat);
    case 'link':
      return { ...entryHeader(path, kind, stat), target: walked.target };
    default:
      return never(kind);
  }
}
