import { setImmediate as nextTurn, setTimeout as later } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OrderedQueue } from '../../src/compress/ordered-queue.js';

const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  let done = false;
  const mark = (): void => void (done = true);
  promise.then(mark, mark);
  await nextTurn();
  return done;
};

describe('OrderedQueue', () => {
  it('consumes in the order of pushing, however long each job takes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 8 }),
        async (delays, width) => {
          const taken: number[] = [];
          const queue = new OrderedQueue<number>(width, async (result) => {
            if (result % 3 === 0) await nextTurn();
            taken.push(result);
          });
          for (const [index, delay] of delays.entries()) await queue.push(later(delay, index));
          await queue.drain();
          expect(taken).toEqual([...delays.keys()]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('never consumes two results at once', async () => {
    let running = 0;
    const queue = new OrderedQueue<number>(4, async () => {
      running += 1;
      expect(running).toBe(1);
      await later(1);
      running -= 1;
    });
    for (let i = 0; i < 20; i++) await queue.push(Promise.resolve(i));
    await queue.drain();
  });

  it('takes no more in while as many as allowed are waiting', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const queue = new OrderedQueue<number>(3, async () => gate);
    await queue.push(Promise.resolve(1));
    await queue.push(Promise.resolve(2));
    const third = queue.push(Promise.resolve(3));
    expect(await settled(third)).toBe(false);
    release();
    await third;
    await queue.drain();
  });

  it('leaves no failure of a job unhandled that is pushed after it has failed itself', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      const queue = new OrderedQueue<number>(3, () => Promise.reject(new Error('no room')));
      await queue.push(Promise.resolve(1));
      await settled(queue.drain());
      const late = later(5).then(() => Promise.reject(new Error('the pool is closed')));
      await expect(queue.push(late)).rejects.toThrow('no room');
      await later(20);
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  it('drains at once where nothing was pushed', async () => {
    await expect(new OrderedQueue<number>(1, async () => undefined).drain()).resolves.toBeUndefined();
  });

  it('consumes nothing behind a job that failed, and rejects every call from then on with it', async () => {
    const failure = new Error('job');
    const taken: number[] = [];
    const queue = new OrderedQueue<number>(10, async (result) => void taken.push(result));
    await queue.push(Promise.resolve(1));
    await queue.push(Promise.reject(failure));
    await queue.push(Promise.resolve(2)).catch(() => undefined);
    await expect(queue.drain()).rejects.toBe(failure);
    await expect(queue.push(Promise.resolve(3))).rejects.toBe(failure);
    await expect(queue.drain()).rejects.toBe(failure);
    expect(taken).toEqual([1]);
  });

  it('keeps the first failure where several jobs fail, the first in order and not in time', async () => {
    const queue = new OrderedQueue<number>(10, async () => undefined);
    const late = later(20).then(() => Promise.reject<number>(new Error('first in order')));
    await queue.push(late);
    await queue.push(Promise.reject(new Error('first in time')));
    await expect(queue.drain()).rejects.toThrow('first in order');
    await expect(queue.drain()).rejects.toThrow('first in order');
  });

  it('wakes a call that waits for room when what it waits for fails', async () => {
    const queue = new OrderedQueue<number>(1, async () => {
      await later(5);
      throw new Error('sink');
    });
    await expect(queue.push(Promise.resolve(1))).rejects.toThrow('sink');
  });

  it('keeps a failure that is undefined', async () => {
    const queue = new OrderedQueue<number>(2, async () => undefined);
    const nothing = undefined as unknown as Error;
    await queue.push(Promise.reject(nothing));
    await expect(queue.drain()).rejects.toBeUndefined();
  });
});
