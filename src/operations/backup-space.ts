import { dirname, isAbsolute } from 'node:path';
import { formatBytes } from '../base/amounts.js';
import { BkpError } from '../base/errors.js';
import { freeSpace } from '../base/free-space.js';

/** What a backup may take up, as far as it was looked at. Bytes. */
export interface BackupSpace {
  /** Of all sources, uncompressed. */
  content: number;
  /** Copies of databases, which lie there until the archive has its name. */
  databases: number;
}

/** A full disk is told with what the backup may need, beside what was free there when it began. Others as they are. */
export class SpaceBefore {
  readonly needed: BackupSpace = { content: 0, databases: 0 };
  readonly #free = new Map<string, number | undefined>();

  /** `folders`: those that are written into. */
  constructor(folders: readonly string[]) {
    for (const folder of folders.filter(isAbsolute)) this.#free.set(folder, freeSpace(folder));
  }

  told(error: unknown): unknown {
    const { content, databases } = this.needed;
    if (!(error instanceof BkpError) || error.id !== 'no-space' || error.path === undefined || content === 0)
      return error;
    const folder = this.#folderOf(error.path);
    if (folder === undefined) return error;
    const copies = databases === 0 ? '' : `, and ${formatBytes(databases)} for a while for copies of databases`;
    const before = `${formatBytes(this.#free.get(folder) ?? 0)} were free in ${folder} when it began`;
    const needs = `a backup takes up to ${formatBytes(content)}, as far as that does not compress${copies}; ${before}`;
    return new BkpError('no-space', `${error.message}\n${needs}`, {
      cause: error.cause,
      path: error.path,
      hint:
        'Free some space there, choose another `storage`, or back up fewer sources (--only). No archive was made, and ' +
        'nothing that existed was changed.',
    });
  }

  #folderOf(path: string): string | undefined {
    for (let at = path; ; at = dirname(at)) {
      if (this.#free.get(at) !== undefined) return at;
      if (at === dirname(at)) return undefined;
    }
  }
}
