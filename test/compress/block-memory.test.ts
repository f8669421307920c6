import { describe, expect, it } from 'vitest';
import { blockSize } from '../../src/base/limits.js';
import { ownMemory } from '../../src/base/own-memory.js';
import { batchRoom, BlockMemory, blockRoom, memoryBehind } from '../../src/compress/block-memory.js';

const memoryOf = ({ buffer }: Buffer): ArrayBuffer => buffer as ArrayBuffer;

describe('memory of blocks', () => {
  it.each([
    [1, blockRoom],
    [blockSize, blockRoom],
    [blockRoom, blockRoom],
    [blockRoom + 1, batchRoom],
    [batchRoom, batchRoom],
  ])('of %d bytes lies in %d, and is used again, by one at a time', (bytes, room) => {
    const memory = new BlockMemory(2);
    const first = memory.take(bytes);
    expect([first.length, first.byteOffset, memoryOf(first).byteLength]).toEqual([bytes, 0, room]);
    memory.give(memoryOf(first));
    expect(memoryOf(memory.take(bytes))).toBe(memoryOf(first));
    expect(memoryOf(memory.take(bytes))).not.toBe(memoryOf(first));
  });

  it('of other sizes, and more than is to be kept, is let go of', () => {
    const memory = new BlockMemory(1);
    const large = memory.take(batchRoom + 1);
    const [first, second] = [memory.take(blockSize), memory.take(blockSize)];
    for (const one of [large, first, second]) memory.give(memoryOf(one));
    expect(memoryOf(memory.take(blockSize))).toBe(memoryOf(first));
    expect(memoryOf(memory.take(blockSize))).not.toBe(memoryOf(second));
    expect(memoryOf(memory.take(batchRoom + 1))).not.toBe(memoryOf(large));
  });

  it('is told from other memory', () => {
    const memory = new BlockMemory(1);
    expect(memoryBehind(memory.take(10))).toHaveLength(blockRoom);
    expect(memoryBehind(memory.take(batchRoom).subarray(5, 7))).toHaveLength(batchRoom);
    expect(memoryBehind(ownMemory(blockSize))).toBeUndefined();
    expect(memoryBehind(Buffer.from('in a slab that others lie in'))).toBeUndefined();
  });
});
