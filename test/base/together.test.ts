import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { together } from '../../src/base/together.js';

it('gives all results, or the first failure once all have settled', async () => {
  expect(await together([Promise.resolve(1), 'two', setTimeout(1, 'three')])).toEqual([1, 'two', 'three']);
  let ended = false;
  const slow = setTimeout(20).then(() => (ended = true));
  await expect(together([Promise.reject(new Error('at once')), slow])).rejects.toThrow('at once');
  expect(ended).toBe(true);
});
