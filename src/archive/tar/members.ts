import { ArchiveDamage, type Damage } from '../../base/damage.js';
import type { ByteSource } from '../../base/byte-source.js';
import { blockSize } from '../../base/limits.js';
import { memberHeaderBytes } from '../../compress/deflate.js';
import { JobFailure, type Compressor } from '../../compress/compressor.js';
import type { PassedBy } from '../archive.js';
import { Window } from '../window.js';
import type { TarChunk } from './tar-input.js';
import { memberSize, parseTrailer, trailerBytes } from './trailer.js';

/** More than a member of `blockSize` bytes can need: stored deflate blocks add five bytes to each 16 KiB. */
const maxMemberBytes = blockSize + blockSize / 512 + 64;
/** An empty deflate stream is two bytes. */
const minMemberBytes = memberHeaderBytes + 2 + 8;

/** `isPassed`: zeros stand for what is in it. */
interface Packed extends TarChunk {
  readonly isPassed?: boolean;
}

interface Inflating {
  readonly at: number;
  readonly job: Promise<Buffer>;
}

/**
 * What our own gzip members hold, beginning with the one at byte `from`: inflated side by side, given in order, with
 * bounded look-ahead. What lies before damage is given first, then `ArchiveDamage` is thrown. Bytes behind the member
 * that ends an archive, and its absence, are told to `oddity`. Zeros stand for the contents that are passed by. Each chunk is
 * good until the next one is asked for.
 */
export async function* inflatedMembers(
  source: ByteSource,
  pool: Compressor,
  from: number,
  oddity: (damage: Damage) => void,
  passBy?: PassedBy,
): AsyncGenerator<TarChunk> {
  const members = packedMembers({ source, pool, from, oddity, passBy });
  const ahead: Inflating[] = [];
  let failure: { readonly error: unknown } | undefined;
  let more = true;
  for (;;) {
    while (more && ahead.length < 2 * pool.width) {
      try {
        const member = await members.next();
        if (member.done === true) more = false;
        else ahead.push(inflating(pool, member.value));
      } catch (error) {
        failure = { error };
        more = false;
      }
    }
    const first = ahead.shift();
    if (first === undefined) break;
    const bytes = await first.job;
    yield { bytes, at: first.at };
    // Nobody looks at it any longer.
    pool.spare(bytes);
  }
  if (failure !== undefined) throw failure.error;
}

function inflating(pool: Compressor, { bytes, at, isPassed = false }: Packed): Inflating {
  if (isPassed) return { at, job: Promise.resolve(bytes) };
  const job = pool.run('gunzip-member', { data: bytes, maxBytes: blockSize }).then(
    ({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    (error: unknown) => {
      if (!(error instanceof JobFailure)) throw error;
      throw new ArchiveDamage('content-undecodable', `at byte ${at}: ${error.message}`);
    },
  );
  // Its failure is seen when its turn comes; until then it must not count as unhandled.
  job.catch(() => undefined);
  return { at, job };
}

interface Reading {
  readonly source: ByteSource;
  readonly pool: Compressor;
  readonly from: number;
  readonly oddity: (damage: Damage) => void;
  readonly passBy: PassedBy | undefined;
}

/** The members as they lie in the archive, each in a buffer of its own. */
async function* packedMembers({ source, pool, from, oddity, passBy }: Reading): AsyncGenerator<Packed> {
  const window = new Window(source);
  let at = from;
  while (at < source.size) {
    const passed = passBy?.get(at);
    if (passed !== undefined) {
      yield* passedMembers(at, passed);
      at += passed.sizes.reduce((sum, size) => sum + size, 0);
      if (at > source.size) throw cutShort();
      continue;
    }
    if (source.size - at < minMemberBytes) throw cutShort();
    const size = memberSize(await window.at(at, memberHeaderBytes));
    if (size === undefined || size < minMemberBytes || size > maxMemberBytes) {
      throw new ArchiveDamage('structure-invalid', `no gzip member of this format begins at byte ${at}`);
    }
    if (at + size > source.size) throw cutShort();
    const bytes = pool.room(size);
    (await window.at(at, size)).copy(bytes);
    if (bytes.readUInt16LE(10) !== 8) return checkTrailer(bytes, at, source.size, oddity);
    yield { bytes, at };
    at += size;
  }
  oddity({ id: 'truncated', message: 'the gzip member that ends an archive is missing' });
}

function* passedMembers(from: number, { sizes, size }: { sizes: readonly number[]; size: number }): Generator<Packed> {
  zeros ??= Buffer.alloc(blockSize);
  let at = from;
  for (const [index, bytes] of sizes.entries()) {
    yield { bytes: zeros.subarray(0, size - index * blockSize), at, isPassed: true };
    at += bytes;
  }
}

let zeros: Buffer | undefined;

function checkTrailer(member: Buffer, at: number, size: number, oddity: (damage: Damage) => void): void {
  if (parseTrailer(member) === undefined) {
    throw new ArchiveDamage('structure-invalid', `the gzip member at byte ${at}, which ends the archive, is malformed`);
  }
  const behind = size - at - trailerBytes;
  if (behind > 0) oddity({ id: 'data-after-end', message: `${behind} bytes lie behind the end of the archive` });
}

const cutShort = (): ArchiveDamage => new ArchiveDamage('truncated', 'the archive ends inside a gzip member');
