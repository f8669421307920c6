import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ownMemory } from '../../src/base/own-memory.js';
import { release } from '../../src/compress/release.js';

describe('release', () => {
  it('lets go of memory at once', () => {
    const memory = ownMemory(100_000);
    const view = memory.subarray(10, 20);
    release(view);
    expect([memory.length, view.length]).toEqual([0, 0]);
    const packed = deflateRawSync(Buffer.alloc(50_000, 'x'), { chunkSize: 60_000 });
    release(packed);
    expect(packed).toHaveLength(0);
  });

  it('leaves what lies in the slab of many small buffers', () => {
    const [one, other] = [Buffer.from('one'), Buffer.from('other')];
    release(one);
    expect([one, other].map(String)).toEqual(['one', 'other']);
  });

  it('holds as little after a gigabyte as after a few megabytes', () => {
    const before = process.memoryUsage().arrayBuffers;
    for (let n = 0; n < 1024; n += 1) {
      const memory = ownMemory(1024 * 1024);
      memory[0] = n;
      release(memory);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024);
  });
});
