import { lstatSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compareBytes, entryPathFault } from '../base/entry-path.js';
import { BkpError, ioError, systemCode } from '../base/errors.js';
import { FolderHandle } from './folder-handle.js';
import { openNewFile } from './new-file.js';
import { withoutPath } from './reason.js';

/**
 * Creates files, folders and links strictly below a folder: never over something that is there, never through a link.
 * Paths are checked as text, and every folder on the way is one that was made here or is a real folder on disk. Files
 * are open for their owner alone until their metadata is set. Throws `name-collision` where a name is taken (twice the
 * same, or folded together by the file system) and `target-unwritable`.
 */
export class InsideFolder {
  readonly #root: string;
  readonly #handle: FolderHandle;
  /** Nothing was there before: a name that is taken was taken by us. */
  readonly #wasEmpty: boolean;
  /** Folders that may be descended. */
  readonly #known = new Set<string>();
  readonly #made = new Set<string>();

  constructor(root: string) {
    this.#root = root;
    try {
      this.#handle = new FolderHandle(root);
      this.#wasEmpty = readdirSync(this.#handle.base).length === 0;
    } catch (error) {
      throw ioError('opening', root, withoutPath(error), 'target-unwritable');
    }
  }

  /** The path for people. */
  display(path: string): string {
    return path === '' ? this.#root : join(this.#root, path);
  }

  /** The folders made or passed, children before their parents. */
  foldersDeepestFirst(): string[] {
    return [...this.#known].sort((a, b) => compareBytes(b, a));
  }

  /** Whether it is a folder that was made here. */
  hasMade(path: string): boolean {
    return this.#made.has(path);
  }

  /** An existing folder below, or the root itself (`''`). The caller closes it. */
  openFolder(path: string): FolderHandle {
    return this.try('opening', path, () => new FolderHandle(this.at(path === '' ? '.' : path)));
  }

  /** Checks the path of something that is to be made, and makes the folders that it lies in. */
  prepare(path: string): void {
    this.#check(path);
    if (path.includes('/')) this.#ensureFolder(dirname(path));
  }

  createFile(path: string): number {
    this.prepare(path);
    return this.try('creating', path, () => openNewFile(this.at(path)));
  }

  /** A folder and those it lies in; one that is known already is left as it is. */
  createFolder(path: string): void {
    this.#check(path);
    this.#ensureFolder(path);
  }

  createLink(path: string, target: string): void {
    this.prepare(path);
    this.try('creating', path, () => symlinkSync(target, this.at(path)));
  }

  /** The path to use in system calls. */
  at(path: string): string {
    return this.#handle.at(path);
  }

  /** Does something with a path below; its system errors become expected ones. */
  try<T>(doing: string, path: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (systemCode(error) === 'EEXIST') throw this.collision(path, error);
      throw ioError(doing, this.display(path), withoutPath(error), 'target-unwritable');
    }
  }

  /** A name is taken. */
  collision(path: string, cause?: unknown): BkpError {
    const display = this.display(path);
    return new BkpError('name-collision', `${display} is there already, as a file, a folder or a link`, {
      cause,
      path: display,
      hint: 'Where two names differ only in case or form, choose a file system that keeps them apart.',
    });
  }

  close(): void {
    this.#handle.close();
  }

  #check(path: string): void {
    const fault = entryPathFault(path);
    if (fault !== undefined) throw new RangeError(`unsafe path (${fault}): ${JSON.stringify(path)}`);
  }

  #ensureFolder(path: string): void {
    if (this.#known.has(path)) return;
    if (path.includes('/')) this.#ensureFolder(dirname(path));
    if (this.try('creating', path, () => this.#makeFolder(path))) this.#made.add(path);
    this.#known.add(path);
  }

  /** False where a real folder is there that somebody else made. */
  #makeFolder(path: string): boolean {
    try {
      mkdirSync(this.at(path), 0o700);
      return true;
    } catch (error) {
      const isTaken = systemCode(error) === 'EEXIST';
      if (isTaken && !this.#wasEmpty && lstatSync(this.at(path)).isDirectory()) return false;
      throw error;
    }
  }
}
