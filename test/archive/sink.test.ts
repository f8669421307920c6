import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArchiveSink } from '../../src/archive/sink.js';
import type { ByteSink } from '../../src/base/byte-source.js';
import { blockSize } from '../../src/base/limits.js';
import { MemorySink, noise, sha256 } from './tar/archives.js';

describe('ArchiveSink', () => {
  it('counts, hashes and hands on all bytes in order, however they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 700_000 }), { maxLength: 12 }), async (sizes) => {
        const memory = new MemorySink();
        const sink = new ArchiveSink(memory);
        const pieces = sizes.map((size, seed) => noise(size, seed + 1));
        for (const piece of pieces) await sink.write(piece);
        const all = Buffer.concat(pieces);
        expect(sink.position).toBe(all.length);
        expect((await sink.hash()).digest('hex')).toBe(sha256(all));
        expect(memory.bytes().equals(all)).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  it('gathers small writes into large ones', async () => {
    let writes = 0;
    const sink = new ArchiveSink({ write: async () => void (writes += 1) });
    for (let i = 0; i < 3000; i++) await sink.write(Buffer.alloc(1000));
    await sink.flush();
    await sink.flush();
    expect(writes).toBeLessThanOrEqual(4);
    await sink.write(Buffer.alloc(0));
    await sink.flush();
    expect(writes).toBeLessThanOrEqual(4);
  });

  it('gives a hash that goes on where it was, again and again', async () => {
    const sink = new ArchiveSink(new MemorySink());
    await sink.write(Buffer.from('a'));
    const first = await sink.hash();
    await sink.write(Buffer.from('b'));
    expect(first.update('x').digest('hex')).toBe(sha256(Buffer.from('ax')));
    expect((await sink.hash()).digest('hex')).toBe(sha256(Buffer.from('ab')));
  });

  it('goes back to a mark, as if nothing had been written since', async () => {
    for (const behind of [0, 10, blockSize, 3 * blockSize + 1]) {
      const memory = new MemorySink();
      const sink = new ArchiveSink(memory);
      await sink.write(Buffer.from('kept'));
      const mark = (await sink.mark())!;
      for (const again of ['first', 'second']) {
        await sink.write(noise(behind));
        await sink.write(Buffer.from(again));
        await sink.rollback(mark);
        expect(sink.position).toBe(4);
      }
      await sink.write(Buffer.from(' and more'));
      expect((await sink.hash()).digest('hex')).toBe(sha256(Buffer.from('kept and more')));
      expect(memory.bytes().toString()).toBe('kept and more');
    }
  });

  it('has no mark where nothing can be taken back', async () => {
    const sink = new ArchiveSink(new MemorySink(false));
    await sink.write(Buffer.from('a'));
    expect(await sink.mark()).toBeUndefined();
    const mark = (await new ArchiveSink(new MemorySink()).mark())!;
    await expect(sink.rollback(mark)).rejects.toThrow('cannot take bytes back');
  });

  it('rejects with what the sink rejects with', async () => {
    const failing: ByteSink = { write: () => Promise.reject(new Error('full')) };
    const sink = new ArchiveSink(failing);
    await sink.write(Buffer.from('a'));
    await expect(sink.hash()).rejects.toThrow('full');
    await expect(new ArchiveSink(failing).write(Buffer.alloc(blockSize))).rejects.toThrow('full');
  });
});
