import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { systemCode } from '../base/errors.js';
import type { FileStat } from '../fs/file-stat.js';
import { writeFileDurably } from '../fs/partial-file.js';

/** What the safety backup read, by real path: an old file is removed only where it is still exactly that one. */
export interface SafetyEntry {
  readonly ino: string;
  readonly size: number;
  /** Nanoseconds since 1970, decimal. */
  readonly mtime: string;
  readonly ctime: string;
  readonly database: boolean;
}

const listName = 'safety-list.json';

const schema = v.record(
  v.string(),
  v.object({ ino: v.string(), size: v.number(), mtime: v.string(), ctime: v.string(), database: v.boolean() }),
);

export class SafetyList {
  readonly #entries: Map<string, SafetyEntry>;

  constructor(entries: Iterable<readonly [string, SafetyEntry]> = []) {
    this.#entries = new Map(entries);
  }

  add(path: string, stat: FileStat, database: boolean): void {
    const { ino, size, mtime, ctime } = stat;
    this.#entries.set(path, { ino: String(ino), size, mtime: String(mtime), ctime: String(ctime), database });
  }

  get(path: string): SafetyEntry | undefined {
    return this.#entries.get(path);
  }

  /**
   * Whether the safety backup holds exactly this file. `moved`: it was itself linked or renamed, which changes its ctime;
   * what lies below a moved folder keeps it.
   */
  proves(path: string, stat: FileStat, moved: boolean): boolean {
    const entry = this.#entries.get(path);
    if (entry?.ino !== String(stat.ino) || entry.size !== stat.size || entry.mtime !== String(stat.mtime)) return false;
    return moved || entry.ctime === String(stat.ctime);
  }

  /** Written beside the journal, before the first move. */
  async write(folder: string): Promise<void> {
    const text = JSON.stringify(Object.fromEntries(this.#entries));
    await writeFileDurably(join(folder, listName), Buffer.from(text), 0o600);
  }
}

/** The list of an interrupted restore; an empty one where there is none that can be read: then nothing is proven. */
export function readSafetyList(folder: string): SafetyList {
  try {
    const parsed = v.safeParse(schema, JSON.parse(readFileSync(join(folder, listName), 'utf8')));
    return new SafetyList(parsed.success ? Object.entries(parsed.output) : []);
  } catch (error) {
    if (systemCode(error) === undefined && !(error instanceof SyntaxError)) throw error;
    return new SafetyList();
  }
}

export const safetyListName = listName;
