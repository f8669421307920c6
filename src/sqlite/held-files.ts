import type { BigIntStats } from 'node:fs';

/** A file by device and inode: what POSIX locks are tied to. */
export type FileId = string & { readonly __brand: 'FileId' };

export function fileId(stats: Pick<BigIntStats, 'dev' | 'ino'>): FileId {
  return `${stats.dev.toString()}:${stats.ino.toString()}` as FileId;
}

/**
 * Which database files this process has open in SQLite. Closing any other descriptor of one of them would drop all locks the
 * process holds on it, so whoever is about to open a file through `fs` asks here first.
 */
export class HeldFiles {
  readonly #connections = new Map<FileId, number>();

  hold(id: FileId): void {
    this.#connections.set(id, (this.#connections.get(id) ?? 0) + 1);
  }

  release(id: FileId): void {
    const left = (this.#connections.get(id) ?? 0) - 1;
    if (left < 0) throw new Error(`released a database that was not held: ${id}`);
    if (left === 0) this.#connections.delete(id);
    else this.#connections.set(id, left);
  }

  has(id: FileId): boolean {
    return this.#connections.has(id);
  }

  /** Throws (a bug of ours) where a connection to the file is open. */
  assertFree(id: FileId, path: string): void {
    if (this.has(id)) throw new Error(`would drop the locks on ${path}: it is open in SQLite`);
  }
}
