import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Window } from '../../src/archive/window.js';
import { blockSize } from '../../src/base/limits.js';
import { MemorySource, noise } from './tar/archives.js';

const content = noise(5 * blockSize + 77);

describe('Window', () => {
  it('gives the bytes of any range, forwards and backwards', async () => {
    const window = new Window(new MemorySource(content));
    const range = fc.tuple(fc.nat(content.length), fc.integer({ min: 0, max: 3 * blockSize }));
    await fc.assert(
      fc.asyncProperty(range, async ([position, wanted]) => {
        const length = Math.min(wanted, content.length - position);
        const bytes = await window.at(position, length);
        expect(bytes.equals(content.subarray(position, position + length))).toBe(true);
        expect(window.now(position, length)?.equals(bytes)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('reads forward in few large pieces', async () => {
    const source = new MemorySource(content);
    const window = new Window(source);
    for (let at = 0; at + 1000 <= content.length; at += 1000) await window.at(at, 1000);
    expect(source.reads).toBeLessThanOrEqual(8);
  });

  it('keeps what it gave as it was', async () => {
    const window = new Window(new MemorySource(content));
    const first = await window.at(0, 100);
    await window.at(4 * blockSize, 100);
    expect(first.equals(content.subarray(0, 100))).toBe(true);
  });

  it('reads into the same memory again where what it gives is only passing', async () => {
    const window = new Window(new MemorySource(content), blockSize, true);
    const first = await window.at(0, 100);
    const second = await window.at(4 * blockSize, 100);
    expect(second.buffer).toBe(first.buffer);
    expect(second.equals(content.subarray(4 * blockSize, 4 * blockSize + 100))).toBe(true);
    // More than its memory holds is memory of its own.
    expect((await window.at(7, 3 * blockSize)).equals(content.subarray(7, 7 + 3 * blockSize))).toBe(true);
    expect(window.now(4 * blockSize, 100)).toBeUndefined();
  });

  it('has nothing before it read anything, and rejects beyond the end', async () => {
    const window = new Window(new MemorySource(content));
    expect(window.now(0, 1)).toBeUndefined();
    await expect(window.at(content.length - 1, 2)).rejects.toThrow('beyond the end');
    expect(await window.at(content.length, 0)).toHaveLength(0);
  });
});
