import { isUtf8 } from 'node:buffer';
import { chmodSync, lstatSync, readdirSync, rmdirSync, unlinkSync, type BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { systemCode } from '../base/errors.js';
import { displayName } from './display-name.js';
import { fileStat, type FileStat } from './file-stat.js';
import { FolderHandle } from './folder-handle.js';
import type { Journal } from './journal.js';
import type { Step } from './journal-format.js';
import { reasonOf } from './reason.js';
import { removeEmptyPlace } from './swap-place.js';

/** Something that a swap put out of the way, and that is to be removed if it is proven to be held elsewhere. */
export interface Discarded {
  /** Where it lies. */
  readonly path: string;
  /** Where it lay, or would lie, in the live tree. */
  readonly live: string;
  readonly stat: FileStat;
}

export interface Kept {
  /** Where it lies, escaped for display. */
  readonly path: string;
  readonly reason: string;
}

/**
 * Removes what a decided swap put out of the way: the old things after `committed`, the staged ones after `undone`. Each
 * file and link just after `isProven` said yes of it; folders once they are empty. All else stays and is named. Files are
 * not opened. `why`: told of what is not proven. Throws only what `isProven` throws.
 */
export async function discardAside(
  journal: Journal,
  isProven: (entry: Discarded) => boolean,
  why = 'it is not proven to be in a backup',
): Promise<readonly Kept[]> {
  if (journal.phase !== 'committed' && journal.phase !== 'undone') throw new RangeError(`${journal.file} is undecided`);
  const kept: Kept[] = [];
  const discard = new Discard(isProven, why, kept);
  for (const step of journal.steps) {
    const path = outOfTheWay(step, journal.phase);
    if (path !== undefined) await discard.remove(path, { path, live: step.live });
  }
  for (const place of new Set(journal.steps.map((step) => step.place))) {
    discard.orKeep(place, () => removeEmptyPlace(place));
  }
  return kept;
}

function outOfTheWay(step: Step, phase: 'committed' | 'undone'): string | undefined {
  if (step.kind === 'carry') return undefined;
  return phase === 'committed' ? step.aside : step.new?.staged;
}

type Names = Omit<Discarded, 'stat'>;

class Discard {
  readonly #isProven: (entry: Discarded) => boolean;
  readonly #why: string;
  readonly #kept: Kept[];

  constructor(isProven: (entry: Discarded) => boolean, why: string, kept: Kept[]) {
    this.#isProven = isProven;
    this.#why = why;
    this.#kept = kept;
  }

  /** `at`: the path to use; `names`: those to tell. */
  async remove(at: string, names: Names): Promise<void> {
    const stat = this.orKeep(names.path, () => lstatSync(at, { bigint: true, throwIfNoEntry: false }));
    if (stat === undefined) return;
    if (stat.isDirectory()) return this.#removeFolder(at, stat, names);
    if (!this.#isProven({ ...names, stat: fileStat(stat) })) return this.#keep(names.path, this.#why);
    this.orKeep(names.path, () => unlinkSync(at));
  }

  async #removeFolder(at: string, stat: BigIntStats, names: Names): Promise<void> {
    const before = this.#kept.length;
    const mode = Number(stat.mode & 0o7777n);
    const handle = this.orKeep(names.path, () => openWritable(at, mode));
    if (handle === undefined) return;
    try {
      for (const name of this.orKeep(names.path, () => readdirSync(handle.base, { encoding: 'buffer' })) ?? []) {
        if (isUtf8(name)) await this.remove(handle.at(name.toString()), below(names, name.toString()));
        else this.#keep(`${names.path}/${displayName(name)}`, 'its name is not valid UTF-8');
      }
    } finally {
      handle.close();
    }
    // Large trees take seconds: signals are heard in between.
    await setImmediate();
    if (this.#kept.length === before) this.orKeep(names.path, () => rmdirSync(at));
    if (this.#kept.length > before && !isWritable(mode)) this.orKeep(names.path, () => chmodSync(at, mode));
  }

  #keep(path: string, reason: string): void {
    this.#kept.push({ path: displayName(path), reason });
  }

  /** What the system refuses is named instead. */
  orKeep<T>(path: string, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      this.#keep(path, reasonOf(error));
      return undefined;
    }
  }
}

function below({ path, live }: Names, name: string): Names {
  return { path: join(path, name), live: join(live, name) };
}

const ownerRights = 0o700;

function isWritable(mode: number): boolean {
  return (mode & ownerRights) === ownerRights;
}

function openWritable(at: string, mode: number): FolderHandle {
  if (!isWritable(mode)) chmodSync(at, mode | ownerRights);
  return new FolderHandle(at);
}
