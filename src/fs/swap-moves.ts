import { dirname } from 'node:path';
import type { CarryStep, ExchangeStep, Step } from './journal-format.js';
import { isOneFile, isThat, isUnchanged, type Identity } from './swap-identity.js';
import type { SwapIo } from './swap-io.js';
import { foundPath } from './swap-place.js';
import { unsealed, type MaybeSealed } from './unsealed.js';

/** A step could not be done, because something is not where it has to be. */
export class SwapFault extends Error {
  override readonly name = 'SwapFault';
}

/**
 * Does single steps, and undoes them. What is to be done is told by what lies where, so that a step may have been done,
 * half done or undone before, and whatever is in the way is kept.
 */
export class SwapMoves {
  readonly #io: SwapIo;
  readonly #unsynced = new Set<string>();

  constructor(io: SwapIo) {
    this.#io = io;
  }

  /**
   * Throws a `SwapFault` where something is not as it was planned, before the first move. What is only carried (a cache,
   * a log) may have changed.
   */
  expectPlanned(step: Step): void {
    if (step.kind === 'carry') return;
    const found = this.#io.look(step.live);
    if (found === undefined ? step.old !== undefined : !isUnchanged(found, step.old)) {
      throw new SwapFault(`${step.live} is not what it was when the restore was planned`);
    }
    if (this.#io.look(step.aside) !== undefined) throw new SwapFault(`${step.aside} is in the way`);
    if (step.new !== undefined) this.#expectStaged(step.new, this.#io.look(step.new.staged));
  }

  /** Whether a step was at least begun. A carried thing does not tell. */
  hasBegun(step: Step): boolean {
    if (step.kind === 'carry') return false;
    if (this.#io.look(step.aside) !== undefined) return true;
    return step.new !== undefined && isThat(this.#io.look(step.live), step.new.identity);
  }

  /** `passed`: a later step was begun before, so that this one must have been finished once. */
  async forward(step: Step, number: number, passed: boolean): Promise<void> {
    if (step.kind === 'carry') this.#carry(step, number);
    else await this.#putIn(step, number, passed);
  }

  async back(step: Step, number: number): Promise<void> {
    if (step.kind === 'carry') this.#carryBack(step);
    else await this.#takeOut(step, number);
  }

  /** Seals again what a kill left unsealed at its place. */
  seal(step: Step, direction: 'forward' | 'back'): void {
    if (step.kind === 'carry') {
      const mode = direction === 'forward' ? step.sealed?.new : step.sealed?.old;
      this.#sealAt(dirname(step.live), mode);
      return;
    }
    const recorded = direction === 'forward' ? step.new?.identity : step.old;
    if (recorded?.sealed !== undefined && isThat(this.#io.look(step.live), recorded)) {
      this.#sealAt(step.live, recorded.sealed);
    }
  }

  #sealAt(path: string, mode: number | undefined): void {
    const found = mode === undefined ? undefined : this.#io.look(path);
    if (mode !== undefined && found?.kind === 'folder' && found.sealed !== mode) this.#io.chmod(path, mode);
  }

  /** Brings all changed names to the disk. */
  async sync(): Promise<void> {
    for (const folder of this.#unsynced) await this.#io.syncFolder(folder);
    this.#unsynced.clear();
  }

  async #putIn(step: ExchangeStep, number: number, passed: boolean): Promise<void> {
    const live = this.#io.look(step.live);
    const aside = this.#io.look(step.aside);
    if (step.new === undefined) {
      // Something that came since the old one was put aside is in nobody's way.
      if (live !== undefined && aside === undefined) this.#rename(step.live, step.aside);
      return;
    }
    const staged = this.#io.look(step.new.staged);
    if (staged === undefined && (passed || isThat(live, step.new.identity))) return;
    this.#expectStaged(step.new, staged);
    if (live !== undefined && !(aside !== undefined && isOneFile(live, aside))) {
      await this.#clear(step, live, aside === undefined ? step.aside : this.#foundPath(step, number, live));
    }
    this.#rename(step.new.staged, step.live);
    if (step.kind === 'database') await this.sync();
  }

  async #takeOut(step: ExchangeStep, number: number): Promise<void> {
    const live = this.#io.look(step.live);
    const aside = this.#io.look(step.aside);
    const isNew = isThat(live, step.new?.identity);
    if (aside === undefined) {
      if (live !== undefined && isNew) this.#vacate(step.live, this.#wayOut(step, number, live));
      return;
    }
    // A rename between two names of one file does nothing.
    if (live !== undefined && isOneFile(live, aside)) return this.#unlink(step.aside);
    if (live !== undefined) {
      const to = isNew ? this.#wayOut(step, number, live) : this.#foundPath(step, number, live);
      if (to !== undefined) await this.#clear(step, live, to);
    }
    this.#rename(step.aside, step.live);
    if (step.kind === 'database') await this.sync();
  }

  /** Frees the live path; a database's keeps its file until another takes its place. */
  async #clear(step: ExchangeStep, live: Identity, to: string | undefined): Promise<void> {
    if (to === undefined) return;
    if (step.kind !== 'database' || live.kind !== 'file') return this.#rename(step.live, to);
    this.#io.link(step.live, to);
    this.#unsynced.add(dirname(to));
    await this.sync();
  }

  /** Where a new thing goes that was live: back to its staged place, unless others wrote into it. */
  #wayOut(step: ExchangeStep, number: number, live: Identity): string | undefined {
    const staged = step.new === undefined ? undefined : this.#io.look(step.new.staged);
    if (staged !== undefined && isOneFile(staged, live)) return undefined;
    const canReturn = staged === undefined && isUnchanged(live, step.new?.identity);
    return canReturn ? step.new?.staged : this.#foundPath(step, number, live);
  }

  #carry(step: CarryStep, number: number): void {
    if (this.#io.look(step.aside) === undefined) return;
    const live = this.#io.look(step.live);
    if (live !== undefined) {
      const to = this.#foundPath(step, number, live);
      if (to !== undefined) this.#carryOver(step.live, to);
    }
    this.#carryOver(step.aside, step.live);
  }

  /** Without the folder that it lay in, the old tree is not aside, but still or again at its place. */
  #carryBack(step: CarryStep): void {
    if (this.#io.look(dirname(step.aside))?.kind !== 'folder') return;
    if (this.#io.look(step.live) === undefined || this.#io.look(step.aside) !== undefined) return;
    this.#carryOver(step.live, step.aside);
  }

  /** Out of a folder that may be sealed into another that may be. */
  #carryOver(from: string, to: string): void {
    this.#rename(from, to, [{ path: dirname(from) }, { path: dirname(to) }]);
  }

  /** A free place for what nobody expected; undefined where it has one already (a link made before a kill). */
  #foundPath(step: Step, number: number, found: Identity): string | undefined {
    for (let choice = 0; ; choice++) {
      const path = foundPath(step.place, number, step.live, choice);
      const there = this.#io.look(path);
      if (there !== undefined && isOneFile(there, found)) return undefined;
      if (there !== undefined) continue;
      this.#io.makeFolder(dirname(path));
      this.#unsynced.add(dirname(dirname(path))).add(step.place);
      return path;
    }
  }

  #expectStaged(wanted: NonNullable<ExchangeStep['new']>, staged: Identity | undefined): void {
    if (staged === undefined) throw new SwapFault(`${wanted.staged} is missing`);
    if (!isUnchanged(staged, wanted.identity)) throw new SwapFault(`${wanted.staged} was changed after it was proven`);
  }

  /** Without `to` it has another name already. */
  #vacate(path: string, to: string | undefined): void {
    if (to === undefined) this.#unlink(path);
    else this.#rename(path, to);
  }

  #rename(from: string, to: string, folders: readonly MaybeSealed[] = []): void {
    unsealed([{ path: from, after: to }, ...folders], () => this.#io.rename(from, to), this.#io);
    this.#unsynced.add(dirname(from)).add(dirname(to));
  }

  #unlink(path: string): void {
    this.#io.unlink(path);
    this.#unsynced.add(dirname(path));
  }
}
