import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { concurrently } from '../../src/base/concurrently.js';

describe('concurrently', () => {
  it('gives results in the order of the items, with never more than so many under way', async () => {
    let running = 0;
    let most = 0;
    const results = await concurrently([5, 1, 4, 2, 3], 2, async (wait) => {
      running += 1;
      most = Math.max(most, running);
      await setTimeout(wait);
      running -= 1;
      return wait * 10;
    });
    expect(results).toEqual([50, 10, 40, 20, 30]);
    expect(most).toBe(2);
    expect(await concurrently([], 3, () => Promise.resolve(1))).toEqual([]);
  });

  it('ends with the first failure when what is under way has ended, and begins no more', async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const work = concurrently([1, 2, 3, 4], 2, async (item) => {
      begun.push(item);
      await setTimeout(item * 5);
      if (item === 1) throw new Error('one');
      ended.push(item);
    });
    await expect(work).rejects.toThrow('one');
    expect([begun, ended]).toEqual([[1, 2], [2]]);
  });
});
