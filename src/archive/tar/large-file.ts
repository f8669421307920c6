import type { EntryHeader, EntrySum } from '../archive.js';
import type { PackedBlock } from '../block-packer.js';
import { blocksPlace } from '../blocks-place.js';
import type { TracedBlock } from '../../compress/jobs.js';

const nothing = Buffer.alloc(0);

/** A large file while it is written: each block of its content is a member of its own. */
export class LargeFile {
  readonly entry: EntryHeader;
  sha256: string;
  readonly #sizes: number[] = [];
  readonly #traces: TracedBlock[] = [];
  #offset: number | undefined;

  /** `sha256`: of its content, where that is known by now. */
  constructor(entry: EntryHeader, sha256 = '') {
    this.entry = entry;
    this.sha256 = sha256;
  }

  /** Told of its blocks, in order, and where each begins. */
  readonly written = ({ packed, trace }: PackedBlock, at: number): void => {
    this.#offset ??= at;
    this.#sizes.push(packed.length);
    this.#traces.push(trace);
  };

  /** Once all are written. With its place, where it was traced. */
  sum(): EntrySum {
    const { path, size } = this.entry;
    const sum = { path, bytes: size, sha256: this.sha256 };
    const blocks = { sizes: this.#sizes, traces: this.#traces, crc: 0, head: nothing, tail: nothing };
    const place = this.#offset === undefined ? undefined : blocksPlace({ offset: this.#offset, ...blocks });
    return place === undefined ? sum : { ...sum, place };
  }
}
