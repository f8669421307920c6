import { blockSize } from '../../base/limits.js';
import { OrderedQueue } from '../../compress/ordered-queue.js';
import type { Compressor } from '../../compress/compressor.js';
import type { PackedBlock } from '../block-packer.js';
import type { ArchiveSink, Mark } from '../sink.js';

type Step =
  | { readonly kind: 'member'; readonly bytes: Uint8Array }
  | { readonly kind: 'block'; readonly block: PackedBlock; readonly written: BlockWritten }
  | { readonly kind: 'pass'; readonly passed: () => void }
  | { readonly kind: 'mark' };

/** `at`: where it begins, in bytes from the archive's beginning. */
export type BlockWritten = (block: PackedBlock, at: number) => void;

/** Tar bytes on their way into gzip members, compressed side by side and written in order. */
export class MemberWriter {
  readonly #sink: ArchiveSink;
  readonly #pool: Compressor;
  readonly #level: number;
  readonly #queue: OrderedQueue<Step>;
  #filling: Buffer;
  #filled = 0;
  #full: Uint8Array[] = [];
  #mark: Mark | undefined;

  constructor(sink: ArchiveSink, pool: Compressor, level: number) {
    this.#sink = sink;
    this.#pool = pool;
    this.#level = level;
    this.#filling = pool.room(blockSize);
    this.#queue = new OrderedQueue(2 * pool.width + 2, (step) => this.#write(step));
  }

  /** Copies the bytes in. Whoever gives many awaits `room` in between: until then they are held. */
  take(bytes: Uint8Array): void {
    let taken = 0;
    while (taken < bytes.length) {
      const piece = Math.min(bytes.length - taken, blockSize - this.#filled);
      this.#filling.set(bytes.subarray(taken, taken + piece), this.#filled);
      taken += piece;
      this.#filled += piece;
      if (this.#filled === blockSize) this.#endMember();
    }
  }

  /** Sends full members to be compressed; resolves when few enough are in flight. */
  async room(): Promise<void> {
    const full = this.#full;
    if (full.length === 0) return;
    this.#full = [];
    for (const data of full) {
      const job = this.#pool.run('gzip-member', { data, level: this.#level });
      await this.#queue.push(job.then((output) => ({ kind: 'member', bytes: output.data })));
    }
  }

  /** What follows begins a member of its own. */
  async cut(): Promise<void> {
    this.#endMember();
    await this.room();
  }

  /** Takes a member that is made elsewhere, behind a `cut`. `written`: called in the order of the archive. */
  async block(made: Promise<PackedBlock>, written: BlockWritten): Promise<void> {
    await this.#queue.push(made.then((block) => ({ kind: 'block', block, written })));
  }

  /** `passed` is called when all blocks before are with the sink. */
  async pass(passed: () => void): Promise<void> {
    await this.#queue.push(Promise.resolve({ kind: 'pass', passed }));
  }

  /** Cuts, and resolves when everything is with the sink: the next member begins at the sink's position. */
  async drain(): Promise<void> {
    await this.cut();
    await this.#queue.drain();
  }

  /** Cuts, and remembers this place for `rollback`, without waiting for what is in flight. */
  async mark(): Promise<void> {
    await this.cut();
    this.#mark = undefined;
    await this.#queue.push(Promise.resolve({ kind: 'mark' }));
  }

  /** Takes back everything behind the last mark; false, and nothing is done, where the sink cannot. */
  async rollback(): Promise<boolean> {
    this.#filled = 0;
    this.#full = [];
    await this.#queue.drain();
    if (this.#mark === undefined) return false;
    await this.#sink.rollback(this.#mark);
    return true;
  }

  async #write(step: Step): Promise<void> {
    switch (step.kind) {
      case 'mark':
        this.#mark = await this.#sink.mark();
        return;
      case 'pass':
        return step.passed();
      case 'member':
        return this.#give(step.bytes);
      case 'block':
        step.written(step.block, this.#sink.position);
        return this.#give(step.block.packed);
    }
  }

  async #give(member: Uint8Array): Promise<void> {
    await this.#sink.write(member);
    this.#pool.spare(member);
  }

  #endMember(): void {
    if (this.#filled === 0) return;
    this.#full.push(this.#filling.subarray(0, this.#filled));
    this.#filling = this.#pool.room(blockSize);
    this.#filled = 0;
  }
}
