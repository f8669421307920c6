import { describe, expect, it } from 'vitest';
import { blockSize } from '../../src/base/limits.js';
import { batchRoom, BlockMemory } from '../../src/compress/block-memory.js';

const memoryOf = ({ buffer }: Buffer): ArrayBuffer => buffer as ArrayBuffer;

describe('memory of blocks', () => {
  it.each([blockSize, batchRoom])('of %d bytes is used again, by one at a time', (bytes) => {
    const memory = new BlockMemory(2);
    const first = memory.take(bytes);
    expect(first.length).toBe(bytes);
    expect(memoryOf(first).byteLength).toBe(bytes);
    memory.give(memoryOf(first));
    expect(memoryOf(memory.take(bytes))).toBe(memoryOf(first));
    expect(memoryOf(memory.take(bytes))).not.toBe(memoryOf(first));
  });

  it('of other sizes, and more than is to be kept, is let go of', () => {
    const memory = new BlockMemory(1);
    const [odd, first, second] = [memory.take(10), memory.take(blockSize), memory.take(blockSize)];
    for (const one of [odd, first, second]) memory.give(memoryOf(one));
    expect(memoryOf(memory.take(blockSize))).toBe(memoryOf(first));
    expect(memoryOf(memory.take(blockSize))).not.toBe(memoryOf(second));
    expect(memory.take(10).length).toBe(10);
  });
});
