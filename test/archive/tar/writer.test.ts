import { execFileSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { createTarWriter } from '../../../src/archive/tar/writer.js';
import { memberSize, parseTrailer, trailerBytes } from '../../../src/archive/tar/trailer.js';
import type {
  ArchiveTail,
  ArchiveWriter,
  EarlierBlocks,
  EntryHeader,
  EntrySum,
  PackedMember,
} from '../../../src/archive/archive.js';
import type { ByteSink } from '../../../src/base/byte-source.js';
import { blockSize } from '../../../src/base/limits.js';
import { packedSum } from '../../../src/compress/packed-sum.js';
import { CompressPool } from '../../../src/compress/pool.js';
import {
  body,
  file,
  folder,
  inChunks,
  link,
  manifest,
  MemorySink,
  noise,
  readAll,
  sha256,
  write,
  type Sample,
} from './archives.js';

const pool = new CompressPool(2);
afterAll(() => pool.close());

const tail: ArchiveTail = {
  sums: () => inChunks(Buffer.from('sums\n')),
  sumsBytes: 5,
  manifest,
  mtime: 0n,
  comment: '',
};
const large = file('uploads/large', noise(3 * blockSize));

/** Sums of its blocks are wanted, and none are known. */
const noBlocks: EarlierBlocks = {
  content: () => undefined,
  read: () => Promise.resolve(undefined),
  forget: () => undefined,
};

async function* failingAfter(bytes: Buffer, error: Error): AsyncGenerator<Buffer> {
  yield* inChunks(bytes);
  throw error;
}

interface WrittenMembers {
  readonly archive: Buffer;
  readonly sums: readonly EntrySum[];
  readonly members: readonly { readonly entries: readonly EntryHeader[]; readonly member: PackedMember }[];
}

/** `take`: adds a sample in another way; undefined where it does not. */
async function writeMembers(
  samples: readonly Sample[],
  take: (writer: ArchiveWriter, sample: Sample) => Promise<void> | undefined = () => undefined,
): Promise<WrittenMembers> {
  const sink = new MemorySink();
  const sums: EntrySum[] = [];
  const members: { entries: readonly EntryHeader[]; member: PackedMember }[] = [];
  const onSum = (sum: EntrySum): void => void sums.push(sum);
  const onMember = (entries: readonly EntryHeader[], member: PackedMember): void => {
    // Sums of its files were told before.
    for (const { kind, path } of entries) {
      if (kind === 'file') expect(sums.some((sum) => sum.path === path)).toBe(true);
    }
    members.push({ entries, member });
  };
  const writer = createTarWriter({ sink, pool, level: 6, onSum, traced: true, onMember });
  for (const sample of samples) await (take(writer, sample) ?? addTo(writer, sample));
  await writer.finish(tail);
  return { archive: sink.bytes(), sums, members };
}

function addTo(writer: ArchiveWriter, { header, bytes }: Sample): Promise<void> {
  if (header.kind !== 'file') return writer.add(header, { kind: 'none' });
  if (bytes.length > blockSize) return writer.add(header, { kind: 'blocks', read: () => inChunks(bytes) });
  return writer.add(header, { kind: 'bytes', bytes: Buffer.from(bytes) });
}

/** What the members hold that begin at byte `from`. */
function membersFrom(archive: Buffer, from: number): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = from; at < archive.length - trailerBytes;) {
    const size = memberSize(archive.subarray(at, at + 20))!;
    found.push(gunzipSync(archive.subarray(at, at + size)));
    at += size;
  }
  return found;
}

describe('createTarWriter', () => {
  it('writes members that name their sizes, hold at most one block each and lead from the first byte to the last', async () => {
    const small = Array.from({ length: 50 }, (_, i) => file(`uploads/${i}`, noise(40_000, i + 1)));
    const { archive } = await write(pool, [...small, large, file('uploads/z', 'z')]);
    const starts: number[] = [];
    let at = 0;
    while (at < archive.length) {
      starts.push(at);
      const size = memberSize(archive.subarray(at, at + 20))!;
      expect(gunzipSync(archive.subarray(at, at + size)).length).toBeLessThanOrEqual(blockSize);
      at += size;
    }
    expect(at).toBe(archive.length);
    const trailer = parseTrailer(archive.subarray(-trailerBytes))!;
    expect(starts.slice(-3)).toEqual([trailer.sumsAt, trailer.manifestAt, archive.length - trailerBytes]);
  });

  it('puts each block of a large file into a member of its own, which holds nothing else, and tells where it lies', async () => {
    const content = Buffer.concat([large.bytes, Buffer.from('and more')]);
    const sink = new MemorySink();
    const sums: EntrySum[] = [];
    const writer = createTarWriter({ sink, pool, level: 6, onSum: (sum) => sums.push(sum), traced: true });
    const [a, b] = [file('a', 'before'), file('b', content)];
    await writer.add(a.header, { kind: 'bytes', bytes: a.bytes });
    await writer.add(b.header, { kind: 'blocks', read: () => inChunks(content), earlier: noBlocks });
    await writer.add(file('c', 'after').header, { kind: 'bytes', bytes: Buffer.from('after') });
    await writer.finish(tail);
    expect(sums.map(({ path }) => path)).toEqual(['a', 'b', 'c']);
    expect(sums.map(({ place }) => place === undefined)).toEqual([true, false, true]);
    const { blocks, offset } = sums[1]!.place!;
    let at = offset;
    for (const [index, size] of blocks!.sizes.entries()) {
      const member = sink.bytes().subarray(at, at + size);
      const block = content.subarray(index * blockSize, (index + 1) * blockSize);
      expect(memberSize(member)).toBe(size);
      expect(gunzipSync(member).equals(block)).toBe(true);
      expect(packedSum(member).equals(blocks!.sums.subarray(16 * index, 16 * (index + 1)))).toBe(true);
      expect(sha256(block)).toBe(blocks!.contents!.toString('hex', 32 * index, 32 * (index + 1)));
      at += size;
    }
    expect(blocks!.sizes).toHaveLength(4);
    const [padding, follows] = membersFrom(sink.bytes(), at);
    expect(padding).toEqual(Buffer.alloc(512 - (content.length % 512)));
    expect(follows!.toString('latin1', 0, 2)).toBe('c\0');
  });

  it('puts small entries whole into members of their source alone, and tells where these lie', async () => {
    const samples = [
      folder('a'),
      ...Array.from({ length: 40 }, (_, i) => file(`a/${i}`, noise(50_000 + 300 * i, i + 1))),
      file('a/none', ''),
      large,
      file('a/z', 'behind a large one'),
      link('a/zz', 'z'),
      // With its header it fills more than a member.
      file('b/barely-small', noise(blockSize - 100)),
      file('b/next', 'text'.repeat(999)),
      file('c', Buffer.alloc(blockSize - 512)),
      file('d', 'x'),
    ];
    const { archive, members } = await writeMembers(samples);
    const parted = new Set<string>([large.header.path, 'b/barely-small']);
    const told = members.flatMap(({ entries }) => entries.map(({ path }) => path));
    expect(told).toEqual(samples.map(({ header }) => header.path).filter((path) => !parted.has(path)));
    expect(members.length).toBeGreaterThan(6);
    for (const { entries, member } of members) {
      expect(new Set(entries.map(({ path }) => path.split('/')[0])).size).toBe(1);
      const packed = archive.subarray(member.offset, member.offset + member.length);
      expect(memberSize(packed)).toBe(member.length);
      expect(packedSum(packed).equals(member.sum)).toBe(true);
      const unpacked = gunzipSync(packed);
      expect(unpacked.length).toBe(member.size);
      const names = execFileSync('tar', ['-t'], { input: Buffer.concat([unpacked, Buffer.alloc(1024)]) }).toString();
      expect(names.trimEnd().split('\n')).toEqual(
        entries.map(({ path, kind }) => (kind === 'directory' ? `${path}/` : path)),
      );
    }
  });

  it('takes members over as they lie in an archive before', async () => {
    const small = Array.from({ length: 60 }, (_, i) => file(`a/${i}`, noise(40_000, i + 1)));
    const samples = [folder('a'), ...small, large, file('z/last', 'z')];
    const before = await writeMembers(samples);
    const isTaken = (index: number): boolean => index !== 1;
    const places: PackedMember[] = [];
    const again = await writeMembers(samples, (writer, sample) => {
      const index = before.members.findIndex(({ entries }) => entries.some(({ path }) => path === sample.header.path));
      const known = before.members[index];
      if (known === undefined || !isTaken(index)) return undefined;
      if (known.entries[0]?.path !== sample.header.path) return Promise.resolve();
      const { entries, member } = known;
      const packed = Buffer.from(before.archive.subarray(member.offset, member.offset + member.length));
      const sums = before.sums.filter(({ path }) => entries.some((entry) => entry.path === path));
      return writer.addMember({ sums, member, packed, written: (now) => places.push(now) });
    });
    expect(places).toEqual(before.members.map(({ member }) => member).filter((_member, index) => isTaken(index)));
    expect(again.archive.equals(before.archive)).toBe(true);
    expect(again.sums).toEqual(before.sums);
    expect(again.members).toEqual(before.members.filter((_member, index) => !isTaken(index)));
  });

  it('takes a large file over from an archive before, and takes it back where that turns out to be damaged', async () => {
    const content = file('b', Buffer.concat([large.bytes, Buffer.from('and more')]));
    const [before, after] = [file('a', 'before'), file('z', 'after')];
    const inFull = async (sums: EntrySum[], add: (writer: ArchiveWriter) => Promise<void>): Promise<Buffer> => {
      const sink = new MemorySink();
      const writer = createTarWriter({ sink, pool, level: 6, onSum: (sum) => sums.push(sum), traced: true });
      await writer.add(before.header, { kind: 'bytes', bytes: Buffer.from(before.bytes) });
      await add(writer);
      await writer.add(after.header, { kind: 'bytes', bytes: Buffer.from(after.bytes) });
      await writer.finish(tail);
      return sink.bytes();
    };
    const sums: EntrySum[] = [];
    const read = (): AsyncIterable<Buffer> => inChunks(content.bytes);
    const archive = await inFull(sums, (writer) => writer.add(content.header, { kind: 'blocks', read }));
    const { place, sha256: sum } = sums[1]!;
    const packed = { place: place!, sha256: sum };
    const blocks = async function* (until = Infinity): AsyncGenerator<Buffer> {
      let at = place!.offset;
      for (const [index, size] of place!.blocks!.sizes.entries()) {
        if (index === until) throw new Error('it is damaged');
        yield Buffer.from(archive.subarray(at, at + size));
        at += size;
      }
    };
    const again: EntrySum[] = [];
    const taken = await inFull(again, (writer) =>
      writer.add(content.header, { kind: 'packed-blocks', packed, read: () => blocks() }),
    );
    expect(taken.equals(archive)).toBe(true);
    expect(again).toEqual(sums);
    for (const until of [0, 2, 3]) {
      const anew = await inFull([], async (writer) => {
        const taking = writer.add(content.header, { kind: 'packed-blocks', packed, read: () => blocks(until) });
        await expect(taking).rejects.toThrow('it is damaged');
        await writer.add(content.header, { kind: 'blocks', read });
      });
      expect(anew.equals(archive)).toBe(true);
    }
  });

  it('writes the same bytes from the same entries', async () => {
    const samples = [file('a', noise(300_000)), large, folder('b')];
    const [first, second] = [await write(pool, samples), await write(pool, samples)];
    expect(first.archive.equals(second.archive)).toBe(true);
  });

  it('takes a large file back whose reading fails, at any place, and goes on as if it had never been', async () => {
    const expected = await write(pool, [file('a', 'before'), large, file('z', 'after')]);
    for (const bytes of [0, 1, 1000, blockSize, blockSize + 1, 3 * blockSize - 1]) {
      const sink = new MemorySink();
      const sums: EntrySum[] = [];
      const writer = createTarWriter({ sink, pool, level: 6, onSum: (sum) => sums.push(sum) });
      const [before, after] = [file('a', 'before'), file('z', 'after')];
      await writer.add(before.header, { kind: 'bytes', bytes: before.bytes });
      const failing = file('uploads/failing', large.bytes);
      const error = new Error('cannot be read any more');
      const read = (): AsyncIterable<Buffer> => failingAfter(large.bytes.subarray(0, bytes), error);
      await expect(writer.add(failing.header, { kind: 'blocks', read })).rejects.toBe(error);
      await writer.add(large.header, { kind: 'blocks', read: () => inChunks(large.bytes) });
      await writer.add(after.header, { kind: 'bytes', bytes: after.bytes });
      const { bodyHash } = await writer.endBody();
      await writer.finish(tail);
      expect(bodyHash).toBe(expected.bodyHash);
      expect(sums).toEqual(expected.sums);
      const found = await readAll(pool, sink.bytes());
      expect(body(found.samples).map(({ header }) => header.path)).toEqual(['a', 'uploads/large', 'z']);
      expect(found).toMatchObject({ thrown: undefined, oddities: [], damaged: [] });
    }
  });

  it('takes a large file back that is not as long as it said', async () => {
    for (const size of [large.bytes.length - 1, large.bytes.length + 1]) {
      const sink = new MemorySink();
      const writer = createTarWriter({ sink, pool, level: 1, onSum: () => undefined });
      const content = { kind: 'blocks', read: () => inChunks(large.bytes) } as const;
      await expect(writer.add({ ...large.header, size }, content)).rejects.toMatchObject({ id: 'size-mismatch' });
      await writer.finish(tail);
      expect(body((await readAll(pool, sink.bytes())).samples)).toEqual([]);
    }
  });

  it('rejects every call with the first failure where nothing can be taken back', async () => {
    const writer = createTarWriter({ sink: new MemorySink(false), pool, level: 1, onSum: () => undefined });
    const error = new Error('cannot be read any more');
    const read = (): AsyncIterable<Buffer> => failingAfter(large.bytes.subarray(0, 5), error);
    await expect(writer.add(large.header, { kind: 'blocks', read })).rejects.toBe(error);
    const { header, bytes } = file('a', 'a');
    await expect(writer.add(header, { kind: 'bytes', bytes })).rejects.toBe(error);
    await expect(writer.endBody()).rejects.toBe(error);
    await expect(writer.finish(tail)).rejects.toBe(error);
    await writer.abort();
  });

  it('writes large files to a sink that cannot take back too', async () => {
    const sink = new MemorySink(false);
    const writer = createTarWriter({ sink, pool, level: 1, onSum: () => undefined });
    await writer.add(large.header, { kind: 'blocks', read: () => inChunks(large.bytes) });
    const proof = await writer.finish(tail);
    expect(proof.sha256).toBe(sha256(sink.bytes()));
    expect((await readAll(pool, sink.bytes())).samples[0]?.bytes.equals(large.bytes)).toBe(true);
  });

  it('rejects with the failure of the n-th write, for every n, and with it from then on', async () => {
    const samples = [file('a', noise(900_000)), large, file('b', noise(900_000, 7)), file('c', 'c')];
    let failed = 0;
    for (let n = 0; ; n++) {
      const sink = new MemorySink();
      const error = new Error(`write ${n}`);
      let writes = 0;
      const failing: ByteSink = {
        write: (bytes) => (writes++ === n ? Promise.reject(error) : sink.write(bytes)),
        truncate: (size) => sink.truncate!(size),
      };
      const writer = createTarWriter({ sink: failing, pool, level: 1, onSum: () => undefined });
      const work = async (): Promise<void> => {
        for (const { header, bytes } of samples) {
          if (bytes.length <= blockSize) await writer.add(header, { kind: 'bytes', bytes: Buffer.from(bytes) });
          else await writer.add(header, { kind: 'blocks', read: () => inChunks(bytes) });
        }
        await writer.finish(tail);
      };
      const outcome = await work().catch((reason: unknown) => reason);
      if (outcome === undefined) break;
      expect(outcome).toBe(error);
      await expect(writer.finish(tail)).rejects.toBe(error);
      await writer.abort();
      failed += 1;
    }
    expect(failed).toBeGreaterThan(3);
  });

  it('lets go of everything when given up in the middle', async () => {
    const writer = createTarWriter({ sink: new MemorySink(), pool, level: 1, onSum: () => undefined });
    await writer.add(large.header, { kind: 'blocks', read: () => inChunks(large.bytes) });
    await writer.abort();
    await writer.abort();
    await expect(writer.endBody()).rejects.toThrow('given up');
  });

  it('refuses what no reader would accept', async () => {
    const refused = [
      { header: { ...file('a', 'a').header, uid: -1 }, content: { kind: 'bytes', bytes: Buffer.from('a') } },
      { header: { ...file('a', 'a').header, size: 2 }, content: { kind: 'bytes', bytes: Buffer.from('a') } },
      { header: { ...folder('a').header, kind: 'link', target: '' }, content: { kind: 'none' } },
      { header: { ...folder('a').header, kind: 'link', target: 'a\0b' }, content: { kind: 'none' } },
      { header: { ...folder('a').header, kind: 'link', target: 'x'.repeat(4097) }, content: { kind: 'none' } },
    ] as const;
    for (const { header, content } of refused) {
      const writer = createTarWriter({ sink: new MemorySink(), pool, level: 1, onSum: () => undefined });
      await expect(writer.add(header, content)).rejects.toBeInstanceOf(RangeError);
    }
  });
});
