import { blockSize } from '../../base/limits.js';
import { OrderedQueue } from '../../compress/ordered-queue.js';
import type { Compressor } from '../../compress/compressor.js';
import { sourceOf } from '../../base/entry-path.js';
import type { EntryHeader, PackedMember, TakenMember } from '../archive.js';
import type { PackedBlock } from '../block-packer.js';
import type { ArchiveSink, Mark } from '../sink.js';
import { bytesOf } from './tar-packer.js';

type Step =
  | { readonly kind: 'member'; readonly packed: Uint8Array; readonly written?: (at: number) => void }
  | { readonly kind: 'block'; readonly block: PackedBlock; readonly written: BlockWritten }
  | { readonly kind: 'pass'; readonly passed: () => void }
  | { readonly kind: 'mark' };

/** `at`: where it begins, in bytes from the archive's beginning. */
export type BlockWritten = (block: PackedBlock, at: number) => void;

/** Tells where the entries of a member of whole ones lie. */
export type OnMember = (entries: readonly EntryHeader[], member: PackedMember) => void;

/** The bytes of a member, and the entries that are in it: none where it does not hold whole ones alone. */
interface Filled {
  readonly data: Uint8Array;
  readonly entries: readonly EntryHeader[];
}

interface MemberWriterParts {
  readonly sink: ArchiveSink;
  readonly pool: Compressor;
  /** 0 (stored) to 9. */
  readonly level: number;
  /** Called in the order of the archive. */
  readonly onMember: OnMember | undefined;
}

/** Tar bytes on their way into gzip members, compressed side by side and written in order. */
export class MemberWriter {
  readonly #parts: MemberWriterParts;
  readonly #queue: OrderedQueue<Step>;
  #filling: Buffer;
  #filled = 0;
  #entries: EntryHeader[] = [];
  #full: Filled[] = [];
  #mark: Mark | undefined;

  constructor(parts: MemberWriterParts) {
    this.#parts = parts;
    const { pool } = parts;
    this.#filling = pool.room(blockSize);
    this.#queue = new OrderedQueue(2 * pool.width + 2, (step) => this.#write(step));
  }

  /** A small entry: the member that it comes into holds whole ones of its source alone, as far as it fits into one. */
  put(entry: EntryHeader, pieces: readonly Buffer[]): void {
    const size = bytesOf(pieces);
    const [first] = this.#entries;
    const isOpen = first !== undefined && sourceOf(first.path) === sourceOf(entry.path);
    if (!isOpen || size > blockSize - this.#filled) this.#endMember();
    if (size <= blockSize) this.#entries.push(entry);
    for (const piece of pieces) this.take(piece);
    if (size > blockSize) this.#endMember();
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
    for (const filled of full) await this.#queue.push(this.#packed(filled));
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

  /** Takes one over as it lies in another archive. */
  async whole({ member, packed, written }: Omit<TakenMember, 'sums'>): Promise<void> {
    await this.cut();
    const told = (offset: number): void => written({ ...member, offset });
    await this.#queue.push(Promise.resolve({ kind: 'member', packed, written: told }));
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
    this.#entries = [];
    this.#full = [];
    await this.#queue.drain();
    if (this.#mark === undefined) return false;
    await this.#parts.sink.rollback(this.#mark);
    return true;
  }

  async #packed({ data, entries }: Filled): Promise<Step> {
    const { pool, level, onMember } = this.#parts;
    const size = data.length;
    if (entries.length === 0 || onMember === undefined) {
      const { data: packed } = await pool.run('gzip-member', { data, level });
      return { kind: 'member', packed };
    }
    const trace = { sum: true, content: false };
    const { data: packed, sum } = await pool.run('gzip-member', { data, level, trace });
    if (sum === undefined) return { kind: 'member', packed };
    const written = (offset: number): void =>
      onMember(entries, { offset, length: packed.length, size, sum: Buffer.from(sum) });
    return { kind: 'member', packed, written };
  }

  async #write(step: Step): Promise<void> {
    const { sink } = this.#parts;
    switch (step.kind) {
      case 'mark':
        this.#mark = await sink.mark();
        return;
      case 'pass':
        return step.passed();
      case 'member':
        step.written?.(sink.position);
        return this.#give(step.packed);
      case 'block':
        step.written(step.block, sink.position);
        return this.#give(step.block.packed);
    }
  }

  async #give(member: Uint8Array): Promise<void> {
    await this.#parts.sink.write(member);
    this.#parts.pool.spare(member);
  }

  #endMember(): void {
    if (this.#filled === 0) return;
    this.#full.push({ data: this.#filling.subarray(0, this.#filled), entries: this.#entries });
    this.#filling = this.#parts.pool.room(blockSize);
    this.#filled = 0;
    this.#entries = [];
  }
}
